"""Pearson's correlation with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy import special

from npt_plugin.evaluation.averages import CONFIDENCE


def correlation(
    x: Sequence[float], y: Sequence[float], means: int = 1
) -> tuple[float, float, float] | None:
    """Pearson's r and its 95 % interval by Fisher's z.

    Args:
        x: One value a point.
        y: The same number of values.
        means: How many means were taken out of each, such as one a dataset; each beyond the first
            costs a degree of freedom, as a partial correlation does.

    Returns:
        r and both ends of the interval; None where there are too few points or one does not vary.

    Example:
        >>> [round(v, 3) for v in correlation([1, 2, 3, 4, 5], [1, 2, 3, 5, 4])]
        [0.9, 0.086, 0.993]
    """
    free = len(x) - means - 2
    if free < 1:
        return None
    mean_x, mean_y = math.fsum(x) / len(x), math.fsum(y) / len(y)
    pairs = [(a - mean_x, b - mean_y) for a, b in zip(x, y, strict=True)]
    spread = math.fsum(a * a for a, _ in pairs) * math.fsum(b * b for _, b in pairs)
    if spread <= 0:
        return None
    r = max(-1.0, min(1.0, math.fsum(a * b for a, b in pairs) / math.sqrt(spread)))
    if abs(r) == 1:
        return r, r, r
    half = float(special.ndtri(0.5 + CONFIDENCE / 2)) / math.sqrt(free)
    return r, math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)
