"""A host's run in float64, where two ways to one gradient part by rounding alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

ROUNDING = 1e-9
"""Room for float64: rounding of a whole training step stays below 1e-12 of the largest number, and
a factor left out, a wrong label or a term missing is above."""


@contextmanager
def in_double() -> Iterator[None]:
    """Until the end of the block float32 means float64, in a process of its own.

    ``.float()`` gives float64, so do checkpoints that are loaded and whatever is made without a
    dtype. CLIP's LayerNorms compute in float32 whatever they get; here they keep what they get.
    """
    load = torch.load
    places = [
        *((norm, "forward", nn.LayerNorm.forward) for norm in _own_norms()),
        (nn.Module, "float", nn.Module.double),
        (torch.Tensor, "float", torch.Tensor.double),
        (torch, "load", lambda *args, **how: doubled(load(*args, **how))),
    ]
    kept = [(owner, name, getattr(owner, name)) for owner, name, _ in places]
    try:
        for owner, name, value in places:
            setattr(owner, name, value)
        torch.set_default_dtype(torch.float64)
        yield
    finally:
        torch.set_default_dtype(torch.float32)
        for owner, name, value in reversed(kept):
            setattr(owner, name, value)


def _own_norms() -> set[type]:
    """The LayerNorms of every CLIP that is imported, hosts' copies too."""
    models = [module for name, module in list(sys.modules.items()) if ".model" in name]
    found = {vars(module).get("LayerNorm") for module in models}
    return {norm for norm in found if isinstance(norm, type) and _is_own(norm)}


def _is_own(norm: type) -> bool:
    return issubclass(norm, nn.LayerNorm) and norm is not nn.LayerNorm


def doubled(value: Any) -> Any:
    """A checkpoint with its float32 tensors in float64."""
    if isinstance(value, dict):
        return {key: doubled(part) for key, part in value.items()}
    single = isinstance(value, torch.Tensor) and value.dtype == torch.float32
    return value.double() if single else value
