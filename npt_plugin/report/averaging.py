"""How accuracies of several datasets or seeds become one row: by column, and H by two rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from npt_plugin.evaluation.averages import h_of_averages

Values = dict[str, float | None]
"""Accuracies (%) by column."""


def by_column(values: Sequence[Values]) -> Values:
    """Mean of every column over the entries that have it; None where none has."""
    columns: dict[str, float | None] = {}
    for name in values[0]:
        present = [v for one in values if (v := one[name]) is not None]
        columns[name] = sum(present) / len(present) if present else None
    return columns


def _h_of_averages(values: Sequence[Values]) -> Values:
    return {**by_column(values), "H": h_of_averages([(v["base"], v["new"]) for v in values])}


@dataclass(frozen=True)
class Rule:
    """A way to average.

    Attributes:
        name: Stands in place of a dataset in the row.
        combine: Makes one of several; of the datasets of a seed, and of the seeds.
    """

    name: str
    combine: Callable[[Sequence[Values]], Values]

    def over_datasets(self, values: Sequence[Values]) -> Values:
        """One entry a dataset; a column that a dataset lacks has no average."""
        combined = self.combine(values)
        return {c: None if any(v[c] is None for v in values) else combined[c] for c in combined}


MEAN = Rule("average", by_column)

MEAN_OF_H = Rule("average (mean of H)", by_column)
"""H is the mean of the datasets' H, as in the imbalanced table of CPT."""

H_OF_AVERAGES = Rule("average (H of averages)", _h_of_averages)
"""H is that of the row's own base and new accuracy, as in CoOp, CoCoOp, MaPLe and most lists."""

RULES = {rule.name: rule for rule in (MEAN, MEAN_OF_H, H_OF_AVERAGES)}


def rule_of(dataset: str) -> Rule:
    """The rule that a row's name says; a single dataset's seeds are averaged by column."""
    return RULES.get(dataset, MEAN)
