"""Read the tensors of a file or a folder: safetensors, plain pickles, TorchScript archives, shards.

Nothing but tensors is ever unpickled.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from npt_plugin.errors import UserError, excerpt, first_line

_INDEX = ".index.json"
_NOT_TENSORS = frozenset(("input_resolution", "context_length", "vocab_size"))
"""Numbers that OpenAI's archives hold beside the weights; their ``build_model`` drops them."""


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file, by name, without the ``module.`` of a model trained on several GPUs.

    Args:
        path: A safetensors file, a state dict or training checkpoint written by ``torch.save``, a
            TorchScript archive, or the index of shards, ``*.index.json``.

    Raises:
        UserError: If it is absent, cannot be read or holds anything else; one sentence.
    """
    if not path.is_file():
        raise UserError(f"CLIP weights {path} do not exist.")
    if path.name.endswith(_INDEX):
        return _read_shards(path)
    named = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    return {name.removeprefix("module."): tensor for name, tensor in named.items()}


def tensor_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Shapes of a file's tensors, by name; of safetensors without reading the numbers.

    Raises:
        UserError: As :func:`read_tensors`.
    """
    if path.suffix != ".safetensors":
        return {name: tuple(tensor.shape) for name, tensor in read_tensors(path).items()}
    try:
        with safe_open(str(path), "pt") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise UserError(f"CLIP weights {path} cannot be read ({first_line(error)}).") from None


def read_json(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds.

    Raises:
        UserError: If it is absent, not JSON, or holds no object.
    """
    try:
        held = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read as JSON ({first_line(error)}).") from None
    if not isinstance(held, dict):
        raise UserError(f"{path} holds no JSON object but {excerpt(held)}.")
    return held


def _read_shards(index: Path) -> dict[str, Tensor]:
    places = read_json(index).get("weight_map")
    if not isinstance(places, dict) or not all(isinstance(p, str) for p in places.values()):
        raise UserError(f"{index} has no weight_map from tensors to files.")
    tensors: dict[str, Tensor] = {}
    for name in sorted(set(places.values())):
        shard = index.with_name(Path(name).name)
        if not shard.is_file():
            raise UserError(f"{index.name} names {name}, which is not in {index.parent}.")
        tensors |= read_tensors(shard)
    missing = sorted(set(places) - set(tensors))
    if missing:
        raise UserError(f"{index} names the tensor {missing[0]}, but no shard beside it holds it.")
    return tensors


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(str(path))
    except (SafetensorError, OSError, ValueError) as error:
        raise UserError(f"CLIP weights {path} cannot be read ({first_line(error)}).") from None


def _read_pickle(path: Path) -> Mapping[str, Tensor]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # OpenAI ships TorchScript archives
            state: Any = torch.jit.load(str(path), map_location="cpu").eval().state_dict()
    except RuntimeError:
        state = _read_plain_pickle(path)  # no archive
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict):
        raise UserError(f"CLIP weights {path} hold no state dict but a {type(state).__name__}.")
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, (Tensor, int)):
            what = type(value).__name__
            raise UserError(f"CLIP weights {path} hold no state dict: {excerpt(name)} is a {what}.")
    return {k: v for k, v in state.items() if k not in _NOT_TENSORS and isinstance(v, Tensor)}


def _read_plain_pickle(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # PyTorch's reader trips over damaged files in any way there is
        raise UserError(
            f"CLIP weights {path} cannot be read ({first_line(error)}): give a JIT archive or a "
            "plain state dict of tensors."
        ) from None
