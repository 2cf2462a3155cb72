"""How far numbers may part by rounding alone, on any processor."""

from __future__ import annotations

import torch
from torch import Tensor

SINGLE = torch.finfo(torch.float32).eps / 2
"""Largest relative error of rounding one number to float32."""

DOUBLE = 1e-9
"""Room for float64: rounding of a whole training step stays below 1e-12 of the largest number, and
a factor left out, a wrong mean or a kernel broken by 1e-6 is above."""


def gap(actual: Tensor, expected: Tensor) -> float:
    """Largest difference, as a share of the largest expected number; shapes must agree."""
    assert actual.shape == expected.shape
    return float(((actual - expected).abs().max() / expected.abs().max()).detach())


def product_bound(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """What float32 may add to each entry of ``x @ weight.T + bias``, in whatever order it sums.

    A sum of n products in any order, fused or not, is within n u / (1 - n u) of the exact one
    times the sum of the magnitudes (Higham 2002, Accuracy and Stability of Numerical Algorithms,
    (3.5)); the bias is one more summand.

    Args:
        x: (..., n).
        weight: (m, n).
        bias: (m,), or None.

    Returns:
        (..., m), float64.
    """
    n = x.shape[-1] + (bias is not None)
    magnitudes = x.detach().double().abs() @ weight.detach().double().abs().T  # (..., m)
    if bias is not None:
        magnitudes = magnitudes + bias.detach().double().abs()
    return n * SINGLE / (1 - n * SINGLE) * magnitudes


def float32_bound(plain: Tensor, exact: Tensor) -> float:
    """What a float32 computation of any length may add: ten times what a plain one adds here.

    A long computation's bound from Higham's rules is too wide to see mistakes, so its conditioning
    is measured: the plain computation and the one under test round as often, each by at most u, and
    ``exact`` says what this did to the plain one on this processor. Never below one rounding.

    Args:
        plain: The plain path's result in float32.
        exact: The same in float64.

    Returns:
        Bound of the largest difference from ``exact``.
    """
    return rounding_bound(plain, exact, torch.float32)


def rounding_bound(plain: Tensor, exact: Tensor, dtype: torch.dtype) -> float:
    """The same for a computation in any precision, see :func:`float32_bound`.

    Args:
        plain: The plain path's result in ``dtype``.
        exact: The same in float64.
        dtype: What both paths compute in; its u is half its eps.
    """
    plain, exact = plain.detach().double(), exact.detach()
    found = (plain - exact).abs().max()
    return 10 * max(float(found), torch.finfo(dtype).eps / 2 * float(exact.abs().max()))
