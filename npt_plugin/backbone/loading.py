"""Load a CLIP by name, prefix or path.

A source is a prefix of names and a function ``load(rest of the name) -> Backbone``; a kind of file
says which paths it reads and how. Both return a model on the CPU in the precision of its file;
``load_clip`` freezes it and sets it to eval.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.open_clip_source import PREFIX, load_open_clip
from npt_plugin.backbone.openai import build_openai, download_openai, openai_names
from npt_plugin.backbone.tiny import load_tiny_state_dict
from npt_plugin.backbone.weights_file import read_tensors
from npt_plugin.errors import UserError, nearest_hint

TINY = "Tiny"
"""Name of the embedded model."""


class FileKind(NamedTuple):
    """A layout of files or folders with weights.

    Attributes:
        what: Said in the log, such as "an open_clip checkpoint".
        recognises: Whether a path is of this kind; looks at names and headers, never unpickles.
        load: Reads it; a damaged file is a ``UserError`` of one sentence.
    """

    what: str
    recognises: Callable[[Path], bool]
    load: Callable[[Path], Backbone]


SOURCES: dict[str, Callable[[str], Backbone]] = {PREFIX: load_open_clip}
"""Prefix of ``MODEL.BACKBONE.NAME`` (with its colon) to what loads the rest of the name."""

FILE_KINDS: list[FileKind] = [
    FileKind(
        "OpenAI's state dict or archive",
        lambda path: path.is_file(),  # last in the list: whatever no other kind has recognised
        lambda path: build_openai(read_tensors(path), str(path)),
    )
]
"""Kinds of files, asked in order."""


def backbone_name(cfg: Any) -> str:
    """How a run's CLIP is spoken of: the file with its weights, or its name.

    Args:
        cfg: The run's config.
    """
    return cfg.MODEL.CLIP_WEIGHTS or cfg.MODEL.BACKBONE.NAME


def load_clip_of(cfg: Any) -> Backbone:
    """The CLIP that a config asks for, see :func:`load_clip`."""
    return load_clip(cfg.MODEL.BACKBONE.NAME, cfg.MODEL.CLIP_WEIGHTS)


def load_clip(name: str, weights: str = "") -> Backbone:
    """Build a CLIP in the precision of its file (call ``.float()`` for fp32).

    Args:
        name: ``MODEL.BACKBONE.NAME``: an OpenAI name ("ViT-B/16"), ``Tiny``, a name with the prefix
            of a source, or a path.
        weights: ``MODEL.CLIP_WEIGHTS``: path used instead of name.

    Returns:
        The model on the CPU, in eval mode, parameters frozen.

    Raises:
        UserError: If the weights are absent, unreadable or not a CLIP's.
    """
    return _load(name, weights).eval().requires_grad_(False)


def _load(name: str, weights: str) -> Backbone:
    if weights:
        return _from_path(Path(weights).expanduser())
    if name == TINY:
        return build_openai(load_tiny_state_dict(), TINY)
    prefix = f"{name.split(':', 1)[0]}:"
    if prefix in SOURCES and prefix != name:
        return SOURCES[prefix](name.removeprefix(prefix))
    known = available_backbones()
    if name in known:
        return _from_path(download_openai(name))
    path = Path(name).expanduser()
    if path.exists() and path.name:
        return _from_path(path)
    raise UserError(
        f"MODEL.BACKBONE.NAME {name!r} is neither a known CLIP nor a file"
        f"{nearest_hint(name, known)}; known: {', '.join(known)}."
    )


def available_backbones() -> list[str]:
    """Names accepted without a path or prefix: ``Tiny`` and OpenAI's models."""
    return [TINY, *openai_names()]


def _from_path(path: Path) -> Backbone:
    if not path.exists():
        raise UserError(
            f"CLIP weights {path} do not exist: check MODEL.CLIP_WEIGHTS, or use the embedded "
            "model with MODEL.BACKBONE.NAME Tiny."
        )
    for kind in FILE_KINDS:
        if kind.recognises(path):
            return kind.load(path)
    raise UserError(
        f"{path} holds no CLIP that is known here: give "
        f"{' or '.join(kind.what for kind in FILE_KINDS)}."
    )
