"""Load a CLIP by name, prefix or path.

A source is a prefix of names and a function ``load(rest of the name) -> Backbone``; what a path
holds is told by its tensors (``files.py``). Both return a model on the CPU in the precision of its
file; ``load_clip`` freezes it and sets it to eval.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from npt_plugin.backbone.files import load_path
from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.open_clip_package import PREFIX
from npt_plugin.backbone.open_clip_source import SCHEMES, load_open_clip
from npt_plugin.backbone.openai import build_openai, download_openai, openai_names
from npt_plugin.backbone.tiny import load_tiny_state_dict
from npt_plugin.errors import UserError, nearest_hint

TINY = "Tiny"
"""Name of the embedded model."""


SOURCES: dict[str, Callable[[str], Backbone]] = {PREFIX: load_open_clip}
"""Prefix of ``MODEL.BACKBONE.NAME`` (with its colon) to what loads the rest of the name."""


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
        weights: ``MODEL.CLIP_WEIGHTS``: path used instead of name; a bare checkpoint of open_clip
            has the architecture of the name, ``open_clip:ARCHITECTURE``.

    Returns:
        The model on the CPU, in eval mode, parameters frozen.

    Raises:
        UserError: If the weights are absent, unreadable or not a CLIP's.
    """
    return _load(name, weights).eval().requires_grad_(False)


def _load(name: str, weights: str) -> Backbone:
    if weights:
        return load_path(Path(weights).expanduser(), architecture_of(name))
    if name == TINY:
        return build_openai(load_tiny_state_dict(), TINY)
    prefix = f"{name.split(':', 1)[0]}:"
    if prefix in SOURCES and prefix != name:
        return SOURCES[prefix](name.removeprefix(prefix))
    known = available_backbones()
    if name in known:
        return load_path(download_openai(name))
    path = Path(name).expanduser()
    if path.exists() and path.name:
        return load_path(path)
    raise UserError(
        f"MODEL.BACKBONE.NAME {name!r} is neither a known CLIP nor a file"
        f"{nearest_hint(name, known)}; known: {', '.join(known)}."
    )


def architecture_of(name: str) -> str:
    """The architecture, or ``ARCHITECTURE/TAG``, that a name of open_clip's says; else empty."""
    rest = name.removeprefix(PREFIX)
    return "" if rest == name or rest.startswith(SCHEMES) else rest


def available_backbones() -> list[str]:
    """Names accepted without a path or prefix: ``Tiny`` and OpenAI's models."""
    return [TINY, *openai_names()]
