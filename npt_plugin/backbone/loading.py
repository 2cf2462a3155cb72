"""Load CLIP: by OpenAI name, from a file, or the embedded ``Tiny`` model."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import sys
import warnings
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.error import URLError

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from npt_plugin.backbone.blocks import ClipModule
from npt_plugin.backbone.tiny import load_tiny_state_dict
from npt_plugin.errors import UserError, nearest_hint

TINY = "Tiny"
"""Name of the embedded model."""

_DISTRIBUTION = "clip-anytorch"
_PRIVATE_NAME = "npt_plugin_clip"


@lru_cache(maxsize=1)
def clip_module() -> ModuleType:
    """OpenAI's ``clip`` package as published, even where a host's own ``clip/`` shadows it.

    Host checkouts ship modified copies (MaPLe's ``build_model`` needs ``design_details``), so the
    installed distribution is found by its metadata and loaded under a private name.
    """
    try:
        folder = Path(str(importlib.metadata.distribution(_DISTRIBUTION).locate_file("clip")))
    except importlib.metadata.PackageNotFoundError:
        raise UserError(
            "CLIP's code is missing: install it with `pip install clip-anytorch 'setuptools<81'`."
        ) from None
    loaded = sys.modules.get("clip")
    if loaded is not None and Path(getattr(loaded, "__file__", "") or ".").parent == folder:
        return loaded
    spec = importlib.util.spec_from_file_location(
        _PRIVATE_NAME, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None and spec.loader is not None  # a .py file has both
    module = importlib.util.module_from_spec(spec)
    sys.modules[_PRIVATE_NAME] = module
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # clip imports the deprecated pkg_resources
            spec.loader.exec_module(module)
    except ModuleNotFoundError as error:  # pkg_resources left setuptools in version 81
        sys.modules.pop(_PRIVATE_NAME, None)
        raise UserError(
            f"CLIP's code needs the module {error.name!r}: run `pip install 'setuptools<81'`."
        ) from None
    return module


@lru_cache(maxsize=1)
def tokenizer():
    """CLIP's byte-pair tokenizer (one instance; building it takes a while)."""
    clip_module()
    name = clip_module().__name__
    return importlib.import_module(f"{name}.simple_tokenizer").SimpleTokenizer()


def tokenize(texts: list[str]) -> Tensor:
    """Token ids of each text, (N, 77) int, padded with 0 after the end-of-text token.

    Raises:
        UserError: If a text has more than 75 tokens (CLIP reads no more).
    """
    try:
        return clip_module().tokenize(texts)
    except RuntimeError as error:
        raise UserError(
            f"A prompt is too long for CLIP's 77 tokens ({error}): shorten the class name or the "
            "number of context words."
        ) from None


def backbone_name(cfg: Any) -> str:
    """How a run's CLIP is spoken of: the file with its weights, or its name.

    Args:
        cfg: The run's config.
    """
    return cfg.MODEL.CLIP_WEIGHTS or cfg.MODEL.BACKBONE.NAME


def load_clip_of(cfg: Any) -> ClipModule:
    """The CLIP that a config asks for, see :func:`load_clip`."""
    return load_clip(cfg.MODEL.BACKBONE.NAME, cfg.MODEL.CLIP_WEIGHTS)


def load_clip(name: str, weights: str = "") -> ClipModule:
    """Build CLIP in fp16 as OpenAI's ``build_model`` does (call ``.float()`` for fp32).

    Args:
        name: ``MODEL.BACKBONE.NAME``: an OpenAI name ("ViT-B/16"), ``Tiny``, or a file.
        weights: ``MODEL.CLIP_WEIGHTS``: path of a state dict or JIT archive, used instead of name.

    Returns:
        ``clip.model.CLIP`` on the CPU, in eval mode, parameters frozen.

    Raises:
        UserError: If the weights are absent, unreadable or not CLIP's.
    """
    state = _state_dict(name, weights)
    module_name = clip_module().__name__
    build_model = importlib.import_module(f"{module_name}.model").build_model
    try:
        model = build_model(dict(state))
    except (KeyError, RuntimeError) as error:
        raise UserError(
            f"{weights or name} does not hold CLIP weights ({_first_line(error)}): give a state "
            "dict or JIT archive of an OpenAI CLIP model."
        ) from None
    return model.eval().requires_grad_(False)


def _state_dict(name: str, weights: str) -> dict[str, Tensor]:
    if weights:
        return _read_file(Path(weights).expanduser())
    if name == TINY:
        return load_tiny_state_dict()
    known = available_backbones()
    if name in known:
        return _read_file(_download(name))
    path = Path(name).expanduser()
    if path.is_file():
        return _read_file(path)
    raise UserError(
        f"MODEL.BACKBONE.NAME {name!r} is neither a known CLIP nor a file"
        f"{nearest_hint(name, known)}; known: {', '.join(known)}."
    )


def available_backbones() -> list[str]:
    """Names accepted without a path: ``Tiny`` and OpenAI's models."""
    return [TINY, *clip_module().available_models()]


def weights_at_hand(name: str) -> bool:
    """Whether the weights of a model of OpenAI's are on this machine already."""
    return _cached(name).is_file()


def _cached(name: str) -> Path:
    """Where ``clip`` keeps the weights of a model it knows."""
    clip = importlib.import_module(f"{clip_module().__name__}.clip")
    return Path.home() / ".cache" / "clip" / Path(clip._MODELS[name]).name


def _download(name: str) -> Path:
    clip = importlib.import_module(f"{clip_module().__name__}.clip")
    target = _cached(name)
    root = target.parent
    was_there = target.exists()
    try:
        return Path(clip._download(clip._MODELS[name], str(root)))
    except (URLError, OSError, RuntimeError) as error:
        if not was_there:
            target.unlink(missing_ok=True)  # clip downloads straight to the final name
        raise UserError(
            f"The weights of CLIP {name} are not on this machine and could not be downloaded "
            f"({_first_line(error)}): put the file at {target} or give its path with "
            "MODEL.CLIP_WEIGHTS, or use the embedded model with MODEL.BACKBONE.NAME Tiny."
        ) from None


def _read_file(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise UserError(
            f"CLIP weights {path} do not exist: check MODEL.CLIP_WEIGHTS, or use the embedded "
            "model with MODEL.BACKBONE.NAME Tiny."
        )
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # OpenAI ships JIT archives
            return torch.jit.load(str(path), map_location="cpu").eval().state_dict()
    except RuntimeError:
        pass  # not a JIT archive: a plain state dict
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # PyTorch's reader trips over damaged files in any way there is
        raise UserError(
            f"CLIP weights {path} cannot be read ({_first_line(error)}): give a JIT archive or a "
            "plain state dict of tensors."
        ) from None
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict):
        raise UserError(f"CLIP weights {path} hold no state dict but a {type(state).__name__}.")
    return state


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(str(path))
    except SafetensorError as error:
        raise UserError(f"CLIP weights {path} cannot be read ({_first_line(error)}).") from None


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:160]
