"""``MODEL.BACKBONE.NAME open_clip:...``: models that open_clip knows, builds and downloads."""

from __future__ import annotations

import logging
from pathlib import Path
from types import ModuleType
from typing import Any

from npt_plugin.backbone import open_clip_file
from npt_plugin.backbone.image_recipe import open_clip_recipe
from npt_plugin.backbone.open_clip_model import OpenClip
from npt_plugin.backbone.open_clip_package import PREFIX, open_clip_module, require_architecture
from npt_plugin.backbone.open_clip_tokenizer import wrap_tokenizer
from npt_plugin.backbone.weights_file import read_tensors
from npt_plugin.errors import UserError, first_line

SCHEMES = ("hf-hub:", "local-dir:")
"""Of names that are open_clip's word for a place."""


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
    if Path(weights).is_file() and not package.is_pretrained_cfg(architecture, weights):
        return open_clip_file.load_open_clip_file(
            Path(weights), read_tensors(Path(weights)), architecture
        )
    logging.getLogger("open_clip").setLevel(logging.ERROR)
    try:
        model = package.create_model(
            architecture, pretrained=weights or None, require_pretrained=True
        )
        tokenizer = package.get_tokenizer(architecture)
        config = package.get_model_config(architecture)
    except Exception as error:  # of torch, of the hub's client, of whatever it downloads with
        raise UserError(
            f"{PREFIX}{name} could not be loaded ({first_line(error)}): its weights must be in "
            "open_clip's own cache, or within reach of its download; fetch them where there is a "
            "network, or give a file or folder on this machine."
        ) from None
    return OpenClip(model, wrap_tokenizer(tokenizer), open_clip_recipe(config))


def image_config(name: str) -> dict[str, Any]:
    """``size``, ``mean`` and ``std`` of a model's images, as far as they are said.

    Args:
        name: As in :func:`load_open_clip`.

    Raises:
        UserError: If the package, the model or its config are not to be had.
    """
    package = open_clip_module()
    architecture, weights = _parts(package, name)
    if not weights:
        return _scheme_images(package, architecture)
    tag = weights if package.is_pretrained_cfg(architecture, weights) else ""
    return open_clip_file.image_config(Path(weights), f"{architecture}/{tag}".rstrip("/"))


def _scheme_images(package: ModuleType, name: str) -> dict[str, Any]:
    """Of a folder, or of a repository on the hub, whose config is small and kept in its cache."""
    if name.startswith("local-dir:"):
        return open_clip_file.image_config(Path(name.removeprefix("local-dir:")) / "weights")
    try:
        repository = name.removeprefix("hf-hub:")
        config = package.pretrained.download_pretrained_from_hf(
            repository, filename=open_clip_file.CONFIG
        )
    except Exception as error:  # of the hub's client
        raise UserError(f"The config of {name} is out of reach ({first_line(error)}).") from None
    return open_clip_file.image_config(Path(config))


def _parts(package: ModuleType, name: str) -> tuple[str, str]:
    """Architecture and weights; the weights of a scheme are its own."""
    if name.startswith(SCHEMES):
        return name, ""
    architecture, _, weights = name.partition("/")
    require_architecture(package, architecture)
    tags = package.list_pretrained_tags_by_model(architecture)
    if not weights:
        raise UserError(
            f"{PREFIX}{name} names no weights: add one of {', '.join(tags) or 'your files'}, as in "
            f"{PREFIX}{architecture}/{tags[0] if tags else 'FILE'}."
        )
    return architecture, weights
