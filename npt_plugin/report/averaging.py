"""How accuracies of several datasets or seeds become one row: by column, and H by two rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from npt_plugin.evaluation.averages import h_of_averages, mean_of_h

Values = dict[str, float | None]
"""Accuracies (%) by column."""


def by_column(values: Sequence[Values]) -> Values:
    """Mean of every column over the entries that have it; None where none has."""
    columns: Values = {}
    for name in values[0]:
        present = [v for one in values if (v := one[name]) is not None]
        columns[name] = sum(present) / len(present) if present else None
    return columns


@dataclass(frozen=True)
class Rule:
    """A way to average.

    Attributes:
        name: Stands in place of a dataset in the row.
        about: One sentence on what the row holds, for the foot of the table; empty: the name does.
        h: Makes H of the base and new accuracies of several datasets; None: by column.
        of_means: Whether H over seeds is that of their mean base and new accuracy, too.
    """

    name: str
    about: str = ""
    h: Callable[[Sequence[tuple[float, float]]], float] | None = None
    of_means: bool = False

    def over_datasets(self, values: Sequence[Values]) -> Values:
        """The average of one entry a dataset; None in a column that a dataset lacks."""
        whole = {name for name in values[0] if all(one[name] is not None for one in values)}
        means = {n: v if n in whole else None for n, v in by_column(values).items()}
        return means if self.h is None else {**means, "H": self.h(_pairs(values))}

    def over_seeds(self, values: Sequence[Values]) -> Values:
        """The mean of one entry a seed; of the seeds that have a column."""
        means = by_column(values)
        return {**means, "H": self.h(_pairs(values))} if self.of_means and self.h else means


def _pairs(values: Sequence[Values]) -> list[tuple[float, float]]:
    return [
        (base, new)
        for one in values
        if (base := one["base"]) is not None and (new := one["new"]) is not None
    ]


MEAN = Rule("average")

MEAN_OF_H = Rule(
    "average (mean of H)",
    "H is the mean of the datasets' H, as in the imbalanced table of CPT.",
    mean_of_h,
)

H_OF_AVERAGES = Rule(
    "average (H of averages)",
    "H is that of the row's own base and new, as in CoOp, CoCoOp, MaPLe and most published lists.",
    h_of_averages,
    of_means=True,
)

_RULES = {rule.name: rule for rule in (MEAN, MEAN_OF_H, H_OF_AVERAGES)}


def rule_of(dataset: str) -> Rule:
    """The rule that a row's name says; a single dataset's seeds are averaged by column."""
    return _RULES.get(dataset, MEAN)
