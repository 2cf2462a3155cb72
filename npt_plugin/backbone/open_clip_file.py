"""A checkpoint that open_clip wrote, with its config beside it or its architecture named."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from npt_plugin.backbone.image_recipe import open_clip_recipe
from npt_plugin.backbone.open_clip_model import OpenClip
from npt_plugin.backbone.open_clip_package import open_clip_module, require_architecture
from npt_plugin.backbone.open_clip_tokenizer import wrap_tokenizer
from npt_plugin.backbone.weights_file import read_json
from npt_plugin.errors import UserError, first_line

CONFIG = "open_clip_config.json"
"""As open_clip names it: ``model_cfg`` says the architecture, ``preprocess_cfg`` the images."""

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "vocab.json", "spiece.model")
"""One of them lies in a folder that a tokenizer of transformers can be read from."""


def load_open_clip_file(
    file: Path, tensors: Mapping[str, Tensor], architecture: str = ""
) -> OpenClip:
    """The model of a checkpoint.

    Args:
        file: Where the tensors were read.
        tensors: Under open_clip's names.
        architecture: Its name, or ``NAME/TAG``; empty: ``open_clip_config.json`` beside the file.

    Raises:
        UserError: If the package is missing, or the tensors are not those of the architecture.
    """
    package = open_clip_module()
    logging.getLogger("open_clip").setLevel(logging.ERROR)
    if architecture:
        where, name, images = f"open_clip:{architecture}", *_named(package, architecture)
    else:
        where, name, images = CONFIG, f"local-dir:{file.parent}", {}
        _check_config(file.with_name(CONFIG))
    try:
        model = package.create_model(
            name, load_weights=False, pretrained_text=False, force_preprocess_cfg=images
        )
    except Exception as error:  # whatever a config can make its constructors raise
        raise UserError(f"No model could be built as {where} says ({first_line(error)}).") from None
    _fill(model, tensors, file, where)
    tokenizer = wrap_tokenizer(_tokenizer(package, name, file.parent))
    return OpenClip(model, tokenizer, open_clip_recipe(package.get_model_config(name)))


def image_config(file: Path, architecture: str = "") -> dict[str, Any]:
    """``size``, ``mean`` and ``std`` of a checkpoint's images, as far as they are said.

    Args:
        file: The checkpoint.
        architecture: As in :func:`load_open_clip_file`.

    Raises:
        UserError: If the config cannot be read, or open_clip is needed and missing.
    """
    if architecture:
        package = open_clip_module()
        name, images = _named(package, architecture)
        return {**images, "size": _size(package.get_model_config(name))}
    held = _check_config(file.with_name(CONFIG))
    return {**held.get("preprocess_cfg", {}), "size": _size(held["model_cfg"])}


def _size(model: dict[str, Any]) -> Any:
    return model["vision_cfg"].get("image_size", 224)  # open_clip's own default


def _check_config(path: Path) -> dict[str, Any]:
    held = read_json(path)
    parts = held.get("model_cfg")
    names = ("vision_cfg", "text_cfg")
    towers = [parts.get(name) for name in names] if isinstance(parts, dict) else [None]
    if not all(isinstance(tower, dict) for tower in towers):
        raise UserError(f"{path} does not describe a CLIP: it has no model_cfg with two towers.")
    return held


def _named(package: ModuleType, architecture: str) -> tuple[str, dict[str, Any]]:
    """Name of the architecture, and mean and std of its images: the tag's, or of all its tags."""
    name, _, tag = architecture.partition("/")
    require_architecture(package, name)
    tags = [tag] if tag else package.list_pretrained_tags_by_model(name)
    found = [package.get_pretrained_cfg(name, one) for one in tags]
    if tag and not found[0]:
        raise UserError(f"open_clip knows no weights {tag!r} of {name}.")
    images = [{key: one[key] for key in ("mean", "std") if key in one} for one in found]
    if any(one != images[0] for one in images):
        raise UserError(
            f"Weights of {name} were trained on differently normalised images: say which yours are "
            f"like, as in open_clip:{name}/{tags[0]}."
        )
    return name, images[0] if images else {}


def _fill(model: nn.Module, tensors: Mapping[str, Tensor], file: Path, where: str) -> None:
    """Load all tensors into the model; nothing is resized, left out or left over."""
    from open_clip.convert import convert_state_dict
    from open_clip.model import convert_to_custom_text_state_dict

    if any(tensor.dtype == torch.float64 for tensor in tensors.values()):
        model.double()
    try:
        state = convert_state_dict(model, dict(tensors))
        if "positional_embedding" in state and not hasattr(model, "positional_embedding"):
            state = convert_to_custom_text_state_dict(state)
        for name in ("logit_scale", "logit_bias"):  # a number or a vector of one
            own = getattr(model, name, None)
            if name in state and own is not None:
                state[name] = state[name].reshape(own.shape)
        state.pop("text.transformer.embeddings.position_ids", None)  # old versions saved it
        model.load_state_dict(state)
    except (RuntimeError, KeyError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"The tensors of {file} are not those of {where} ({reason}): give the config that "
            "belongs to them."
        ) from None


def _tokenizer(package: ModuleType, name: str, folder: Path) -> Any:
    """Of the folder where it holds one; else the one that the config names, of the hub."""
    try:
        if name.startswith("local-dir:") and not has_tokenizer(folder):
            text = package.get_model_config(name)["text_cfg"]
            if text.get("hf_tokenizer_name"):
                kwargs = text.get("tokenizer_kwargs") or {}
                return package.tokenizer.HFTokenizer(
                    text["hf_tokenizer_name"], text.get("context_length", 77), **kwargs
                )
        return package.get_tokenizer(name)
    except Exception as error:  # of transformers, of the hub's client
        raise UserError(
            f"The tokenizer of {folder} could not be loaded ({first_line(error)}): put "
            f"{' or '.join(TOKENIZER_FILES)} into the folder, and install transformers."
        ) from None


def has_tokenizer(folder: Path) -> bool:
    """Whether a folder holds the files of a tokenizer of transformers."""
    return any((folder / name).is_file() for name in TOKENIZER_FILES)
