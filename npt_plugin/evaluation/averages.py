"""Averages of accuracies: the harmonic mean, two rules over datasets, spread and interval."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import special  # scipy.stats takes a second to import

CONFIDENCE = 0.95
"""Of every interval."""


def harmonic_mean(base: float, new: float) -> float:
    """H = 2 * base * new / (base + new); 0 where both are 0.

    Args:
        base: Accuracy on the base classes.
        new: Accuracy on the new classes, in the same unit.

    Example:
        >>> round(harmonic_mean(82.69, 63.22), 2)
        71.66
    """
    return 2 * base * new / (base + new) if base + new > 0 else 0.0


def h_of_averages(pairs: Sequence[tuple[float, float]]) -> float:
    """H of the average base and the average new accuracy.

    The rule of CoOp, CoCoOp, MaPLe, PromptSRC and most published lists.

    Args:
        pairs: Base and new accuracy of each dataset.

    Example:
        >>> round(h_of_averages([(80.0, 80.0), (90.0, 10.0)]), 2)
        58.85
    """
    base, new = zip(*pairs, strict=True)
    return harmonic_mean(math.fsum(base) / len(base), math.fsum(new) / len(new))


def mean_of_h(pairs: Sequence[tuple[float, float]]) -> float:
    """Mean of the H of every dataset.

    The rule that the imbalanced table of CPT (arXiv:2605.11939) fits. It is never above
    ``h_of_averages`` of the same pairs, since H is concave.

    Args:
        pairs: Base and new accuracy of each dataset.

    Example:
        >>> mean_of_h([(80.0, 80.0), (90.0, 10.0)])
        49.0
    """
    return math.fsum(harmonic_mean(*pair) for pair in pairs) / len(pairs)


def mean_and_sd(values: Sequence[float]) -> tuple[float, float]:
    """Mean and sample standard deviation (n - 1); the latter is NaN for one value."""
    mean = sum(values) / len(values)
    if len(values) < 2:
        return mean, math.nan
    return mean, math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))


def interval(values: Sequence[float]) -> tuple[float, float] | None:
    """95 % confidence interval of the mean, by Student's t with n - 1 degrees of freedom.

    Args:
        values: Independent draws, for example one paired difference a seed.

    Returns:
        Low and high end, or None for fewer than two values.
    """
    if len(values) < 2:
        return None
    mean = math.fsum(values) / len(values)
    t = special.stdtrit(len(values) - 1, 0.5 + CONFIDENCE / 2)
    half = float(t * np.std(values, ddof=1) / math.sqrt(len(values)))
    return mean - half, mean + half
