"""Reduce training state to what ``torch.load(weights_only=True)`` reads on every version."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

_LEAVES = (torch.Tensor, bool, int, float, complex, str, bytes, type(None))
_DROP = object()


def _leaf(value: Any, where: str) -> Any:
    if isinstance(value, torch.nn.Parameter):
        return value.detach()
    # exact types only: a numpy float is a float too, and does not load
    if type(value) in _LEAVES or isinstance(value, torch.Tensor):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, (torch.dtype, torch.device, torch.Size)):
        return value
    warnings.warn(
        f"{where} ({type(value).__name__}) is not plain data and is left out of the checkpoint",
        stacklevel=2,
    )
    return _DROP


def plain_state(value: Any, where: str = "state") -> Any:
    """Copy nested state, keeping tensors, numbers, text and containers of them.

    Args:
        value: Nested dictionaries, lists and tuples; numpy values become numbers or tensors,
            other objects are dropped with a warning.
        where: Name of the value, for that warning.

    Returns:
        The same nesting in plain ``dict``, ``list`` and ``tuple``; tensors are not copied.
    """
    if isinstance(value, Mapping):
        pairs = ((k, plain_state(v, f"{where}.{k}")) for k, v in value.items())
        return {_leaf(k, where): v for k, v in pairs if v is not _DROP}
    if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
        items = [plain_state(v, f"{where}[{i}]") for i, v in enumerate(value)]
        kept = [v for v in items if v is not _DROP]
        return kept if isinstance(value, list) else tuple(kept)
    return _leaf(value, where)
