"""How far our mean may be from a published one: from spreads over seeds, fixed beforehand."""

from __future__ import annotations

import math
from collections.abc import Sequence

from npt_plugin.reproduction.figures import Figure
from npt_plugin.reproduction.tables import PublishedTable
from npt_plugin.runs.units import ZERO_SHOT

WIDE = 2.0
"""Standard deviations of a difference of two means: about 95 of 100 are within."""


def tolerance(table: PublishedTable, figure: Figure, figures: Sequence[Figure], n: int) -> float:
    """Points that our mean of ``n`` seeds may differ from a published one.

    Both means have an error of their own: ``2 sd sqrt(1 / published seeds + 1 / n)``, and never
    less than the table's floor.

    Args:
        table: The table.
        figure: The published number.
        figures: All of the table: H and averages have the spread that follows from theirs.
        n: Our seeds, 1 or more.
    """
    sd = spread(table, figure, figures)
    return max(table.floor, WIDE * sd * math.sqrt(1 / figure.seeds + 1 / n))


def spread(table: PublishedTable, figure: Figure, figures: Sequence[Figure]) -> float:
    """Standard deviation over seeds of one number, in points."""
    if figure.trainer == ZERO_SHOT:
        return 0.0
    if figure.column in table.spread:
        if not figure.average or "base" not in table.spread:
            return _single(table, figure.dataset, figure.column)
        each = [_single(table, name, figure.column) for name in table.datasets]
        return math.sqrt(math.fsum(sd * sd for sd in each)) / len(each)
    return _of_h(table, figure, figures)


def _single(table: PublishedTable, dataset: str, column: str) -> float:
    return table.known.get(dataset, table.spread).get(column, table.spread[column])


def _of_h(table: PublishedTable, figure: Figure, figures: Sequence[Figure]) -> float:
    """Of H = 2 b n / (b + n), to first order."""
    row = (figure.trainer, figure.tau, figure.dataset)
    parts = {f.column: f for f in figures if (f.trainer, f.tau, f.dataset) == row}
    base, new = parts["base"], parts["new"]
    total = (base.value + new.value) ** 2
    by_base = 2 * new.value**2 / total * spread(table, base, figures)
    by_new = 2 * base.value**2 / total * spread(table, new, figures)
    return math.hypot(by_base, by_new)
