"""Read the tensors of a CLIP from a JIT archive, a plain state dict or safetensors."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from npt_plugin.errors import UserError, first_line


def read_openai(path: Path) -> dict[str, Tensor]:
    """The state dict in a file; nothing but tensors is ever unpickled.

    Args:
        path: An existing file.

    Raises:
        UserError: If it cannot be read or holds no state dict.
    """
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
            f"CLIP weights {path} cannot be read ({first_line(error)}): give a JIT archive or a "
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
        raise UserError(f"CLIP weights {path} cannot be read ({first_line(error)}).") from None
