"""The Hugging Face hub, through its own library; only here."""

from __future__ import annotations

import re
from pathlib import Path

from npt_plugin.errors import UserError, first_line

PREFIX = "hf:"
"""In front of a name on the hub."""

_NAME = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?")
_MISSING = "the hub needs huggingface_hub: run `pip install 'npt-plugin[hub]'`, or use a folder."


def _named(source: str) -> tuple[str, str | None]:
    found = _NAME.fullmatch(source.removeprefix(PREFIX))
    if found is None:
        raise UserError(f"{source!r} is no name on the hub: write {PREFIX}ORG/NAME.")
    return found["name"], found["revision"]


def download(source: str) -> Path:
    """Fetch ``hf:ORG/NAME[@REVISION]`` into the library's cache; returns the folder.

    Raises:
        UserError: Without the library, or where the hub or the name cannot be reached.
    """
    name, revision = _named(source)
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise UserError(f"{source}: {_MISSING}") from None
    try:
        return Path(snapshot_download(name, revision=revision))
    except Exception as error:  # its own kinds, requests' and httpx's
        raise UserError(f"{source} cannot be fetched ({first_line(error)}).") from None


def upload(folder: Path, target: str) -> str:
    """Put a published folder on the hub, private; returns its address.

    Args:
        folder: What ``publish`` wrote.
        target: ``hf:ORG/NAME`` or ``ORG/NAME``.

    Raises:
        UserError: Without the library, or where the hub refuses.
    """
    name, revision = _named(target)
    if revision:
        raise UserError(f"{target!r} names a revision; a new one is made by pushing.")
    try:
        from huggingface_hub import HfApi
    except ImportError:
        raise UserError(f"{target}: {_MISSING}") from None
    try:
        api = HfApi()
        api.create_repo(name, exist_ok=True, private=True)
        return str(api.upload_folder(repo_id=name, folder_path=str(folder)))
    except Exception as error:  # its own kinds, requests' and httpx's
        raise UserError(
            f"{target} cannot be written ({first_line(error)}): log in with `hf auth login`."
        ) from None
