"""``MODEL.BACKBONE.NAME open_clip:...``: models that open_clip knows, builds and downloads."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from types import ModuleType
from typing import Any

from npt_plugin.backbone.open_clip_model import OpenClip
from npt_plugin.backbone.open_clip_tokenizer import wrap_tokenizer
from npt_plugin.backbone.openai import MEAN, STD
from npt_plugin.errors import UserError, first_line, nearest_hint

PREFIX = "open_clip:"
_SCHEMES = ("hf-hub:", "local-dir:")


def open_clip_module() -> ModuleType:
    """The package, imported only when somebody asks for one of its models.

    Raises:
        UserError: If it is not installed.
    """
    try:
        import open_clip
    except ImportError as error:
        raise UserError(
            f"A model of open_clip needs the package open_clip_torch, which cannot be imported "
            f"({first_line(error)}): run `pip install 'npt-plugin[backbones]'`, or use a model of "
            "OpenAI's or Tiny."
        ) from None
    return open_clip


def load_open_clip(name: str) -> OpenClip:
    """A model with its weights, in fp32 on the CPU.

    Args:
        name: ``ARCHITECTURE/WEIGHTS`` ("ViT-B-16/laion2b_s34b_b88k"), where the weights are a tag
            of open_clip's or a path; ``hf-hub:ORG/NAME``; or ``local-dir:FOLDER`` as open_clip
            writes one.

    Raises:
        UserError: If the package, the model or its weights are not to be had.
    """
    package = open_clip_module()
    architecture, weights = _parts(package, name)
    logging.getLogger("open_clip").setLevel(logging.ERROR)
    try:
        model = package.create_model(
            architecture, pretrained=weights or None, require_pretrained=True
        )
        tokenizer = package.get_tokenizer(architecture)
    except Exception as error:  # of torch, of the hub's client, of whatever it downloads with
        raise UserError(
            f"{PREFIX}{name} could not be loaded ({first_line(error)}): its weights must be in "
            "open_clip's own cache, or within reach of its download; fetch them where there is a "
            "network, or give a file or folder on this machine."
        ) from None
    return OpenClip(model, wrap_tokenizer(tokenizer))


def _parts(package: ModuleType, name: str) -> tuple[str, str]:
    """Architecture and weights; the weights of a scheme are its own."""
    if name.startswith(_SCHEMES):
        return name, ""
    architecture, _, weights = name.partition("/")
    known = package.list_models()
    if architecture not in known:
        raise UserError(
            f"open_clip knows no architecture {architecture!r}{nearest_hint(architecture, known)}; "
            "`python -c 'import open_clip; print(open_clip.list_models())'` names all."
        )
    tags = package.list_pretrained_tags_by_model(architecture)
    if not weights:
        raise UserError(
            f"{PREFIX}{name} names no weights: add one of {', '.join(tags) or 'your files'}, as in "
            f"{PREFIX}{architecture}/{tags[0] if tags else 'FILE'}."
        )
    return architecture, weights


def open_clip_pixels(name: str) -> tuple[Any, Any, Any] | None:
    """Image size, mean and std of a model by its config alone; None where only loading can tell.

    Args:
        name: As in ``load_open_clip``.
    """
    if name.startswith("hf-hub:"):
        return None  # its config is on a hub
    if name.startswith("local-dir:"):
        config = _folder_config(Path(name.removeprefix("local-dir:")))
        if config is None:
            return None
        model, seen = config
    else:
        package = open_clip_module()
        architecture, weights = _parts(package, name)
        model, seen = package.get_model_config(architecture), _tag(package, architecture, weights)
    size = model.get("vision_cfg", {}).get("image_size", 224)
    height, width = (size, size) if isinstance(size, int) else size
    return (height, width), tuple(seen.get("mean", MEAN)), tuple(seen.get("std", STD))


def _tag(package: ModuleType, architecture: str, weights: str) -> dict[str, Any]:
    found: dict[str, Any] = package.get_pretrained_cfg(architecture, weights)
    return found or {}


def _folder_config(folder: Path) -> tuple[dict[str, Any], dict[str, Any]] | None:
    try:
        config = json.loads((folder / "open_clip_config.json").read_text("utf-8"))
        return config["model_cfg"], config.get("preprocess_cfg", {})
    except (OSError, ValueError, KeyError, TypeError):  # loading says it
        return None
