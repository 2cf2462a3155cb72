"""The plain weights of a tuned tower: what was learned beside a map, put into the map."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from npt_plugin.backbone.block import joint_names

_PARTS = ("change", "changes", "beside")


@torch.no_grad()
def plain_state(module: nn.Module) -> dict[str, Tensor]:
    """A state dict with the names and shapes that the module had before it was tuned.

    Args:
        module: CLIP, or a part of it, with any changes inside but nothing beside.

    Returns:
        Copies.
    """
    state = {
        name: tensor.clone()
        for name, tensor in module.state_dict().items()
        if not any(part in _PARTS for part in name.split("."))
    }
    for path, owner in module.named_modules():
        at = f"{path}." if path else ""
        if hasattr(owner, "change"):
            _merge(state, owner.change, f"{at}weight", f"{at}bias", slice(None))
        if hasattr(owner, "changes"):
            _merge_joint(state, owner, at)
    return state


def _merge_joint(state: dict[str, Tensor], attn: Any, at: str) -> None:
    weight, bias = (f"{at}{name}" for name in joint_names(attn))
    width = len(state[weight]) // 3
    for letter, change in attn.changes.items():
        first = "qkv".index(letter) * width
        rows = slice(first, first + width)
        _merge(state, change, weight, bias, rows)


def _merge(state: dict[str, Tensor], change: Any, weight: str, bias: str, rows: slice) -> None:
    merged = change.merged(state[weight][rows], state[bias][rows])
    state[weight][rows], state[bias][rows] = merged
