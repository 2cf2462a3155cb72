"""One sentence where a project's data are not where it looks, or its CLIP cannot be downloaded."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Sequence

_ROOTS = ("--root", "DATASET.ROOT")
_DASSLS = re.compile(r"No file exists at (.+)")


def absent_data(error: BaseException, words: Sequence[str] | None = None) -> str:
    """What is said where a file below the data's root is missing, "" for any other error.

    Args:
        error: What ended a project's script.
        words: Its command line; by default the process's.
    """
    file = _file_of(error)
    root = _root(sys.argv[1:] if words is None else words)
    if not file or not root or not _is_below(file, root):
        return ""
    return (
        f"The project looks for {file}, which is not there: the folder of its data is {root} "
        "(--root). `npt data status` says what each dataset has there, `npt data download` gets it."
    )


def _file_of(error: BaseException) -> str:
    """The path that an error is about, where something was not found."""
    if isinstance(error, FileNotFoundError) and isinstance(error.filename, (str, bytes)):
        return os.fsdecode(error.filename)
    said = _DASSLS.fullmatch(str(error)) if isinstance(error, OSError) else None
    return said[1] if said else ""


def _root(words: Sequence[str]) -> str:
    """The root of the data that a command line gives; the last counts."""
    found = ""
    for before, word in zip(["", *words], words, strict=False):
        name, _, value = word.partition("=")
        if before in _ROOTS:
            found = word
        elif name == _ROOTS[0] and value:
            found = value
    return os.path.expanduser(found)


def _is_below(file: str, root: str) -> bool:
    whole, base = (os.path.realpath(os.path.expanduser(path)) for path in (file, root))
    return os.path.commonpath([whole, base]) == base


def failed_download(error: BaseException) -> str:
    """What is said where a CLIP's code could not fetch its weights, "" for any other error.

    OpenAI's code, and every copy of it, does that in ``_download(url, root)``.
    """
    if not isinstance(error, OSError):
        return ""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        url = frame.f_locals.get("url")
        if frame.f_code.co_name != "_download" or not isinstance(url, str):
            continue
        folder = frame.f_locals.get("root") or os.path.join("~", ".cache", "clip")
        reason = getattr(error, "reason", error)
        return (
            f"The project's CLIP cannot be downloaded ({reason}): fetch {url} elsewhere and put it "
            f"into the folder {os.path.expanduser(str(folder))}."
        )
    return ""
