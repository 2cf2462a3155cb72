"""One temperature for all logits, so that probabilities say how often they are right."""

from __future__ import annotations

import math

from scipy.optimize import minimize_scalar
from torch import Tensor
from torch.nn.functional import cross_entropy

LOWEST, HIGHEST = 0.05, 20.0
"""Temperatures are sought between these."""


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """The temperature T that minimises the cross-entropy of ``logits / T``.

    The loss is convex in 1/T, so there is one minimum; it is sought over log T, in double
    precision.

    Args:
        logits: (N, K), any float dtype.
        labels: (N,) int64.

    Returns:
        T, from ``LOWEST`` to ``HIGHEST``.

    Source: Guo et al. 2017 (arXiv:1706.04599), section 4.2.
    """
    logits = logits.double()

    def loss(log_t: float) -> float:
        return float(cross_entropy(logits / math.exp(log_t), labels))

    bounds = (math.log(LOWEST), math.log(HIGHEST))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-10})
    return math.exp(found.x)
