"""Precision, centring and unit norm: what happens to features before any geometry."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager

import torch
from torch import Tensor

DEGENERATE = 1e-6  # a centred vector shorter than this is rounding noise, not a direction


def promote(x: Tensor) -> Tensor:
    """Half precision to float32; float32 and float64 stay as they are.

    Args:
        x: Any shape, any float dtype. Cosines of half-precision vectors are too coarse for
            targets such as -1/(K-1).

    Returns:
        The same values in float32 or float64, with their graph.

    Example:
        >>> promote(torch.ones(2, dtype=torch.bfloat16)).dtype
        torch.float32
    """
    return x if x.dtype == torch.float64 else x.float()


def full_precision(device_type: str) -> AbstractContextManager[None]:
    """Switch autocast off inside a ``with`` block.

    Args:
        device_type: ``tensor.device.type``. Devices without autocast need nothing done.

    Returns:
        A context manager.
    """
    try:
        return torch.autocast(device_type=device_type, enabled=False)
    except RuntimeError:  # e.g. "meta", which has no autocast to switch off
        return contextlib.nullcontext()


def unit(x: Tensor) -> Tensor:
    """Unit L2 norm along the last axis; a degenerate vector becomes 0 and gets no gradient.

    ``F.normalize`` would give a vector of length 1e-8 a gradient of 1e8; after centring such
    vectors do occur (two classes with the same name, a batch of one class).

    Args:
        x: (..., D), float32 or float64.

    Returns:
        (..., D), rows of norm 1, or 0 where the input is shorter than ``DEGENERATE``.

    Example:
        >>> unit(torch.tensor([[3.0, 4.0], [1e-9, 0.0]]))
        tensor([[0.6000, 0.8000],
                [0.0000, 0.0000]])
    """
    norm: Tensor = torch.linalg.vector_norm(x, dim=-1, keepdim=True)  # (..., 1)
    return x * ((norm > DEGENERATE) / norm.clamp_min(DEGENERATE))  # (..., D)


def hat(vectors: Tensor, center: bool) -> Tensor:
    """The hat of docs/methods.md: minus the mean over classes if wanted, then unit norm.

    Args:
        vectors: (..., K, D), one row per class.
        center: Whether to subtract the mean over the K rows.

    Returns:
        (..., K, D), float32 or float64, rows of unit norm.

    Example:
        >>> hat(torch.tensor([[1.0, 5.0], [3.0, 5.0]]), center=True).tolist()
        [[-1.0, 0.0], [1.0, 0.0]]
    """
    vectors = promote(vectors)
    if center:
        vectors = vectors - vectors.mean(dim=-2, keepdim=True)
    return unit(vectors)


def cosines(vectors: Tensor) -> Tensor:
    """Gram matrix of unit vectors.

    Args:
        vectors: (..., K, D), rows of unit norm.

    Returns:
        (..., K, K).

    Example:
        >>> cosines(torch.tensor([[1.0, 0.0], [-1.0, 0.0]])).tolist()
        [[1.0, -1.0], [-1.0, 1.0]]
    """
    return vectors @ vectors.transpose(-1, -2)
