"""What a protocol's table says of itself; each protocol has a subclass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from npt_plugin.evaluation.groups import GROUPS
from npt_plugin.report.averaging import Rule, Values
from npt_plugin.runs.layout import Place
from npt_plugin.runs.units import Key, Unit


class Table:
    """One protocol's table; a subclass says what is its own.

    Attributes:
        title: For headings.
        prefix: Of the names of the files written.
        where: Head of the first column.
        independent: See ``runs.units.Grouping``.
        rules: How datasets are averaged, a row each; empty: not at all.
        below: Columns in which a run below zero-shot CLIP is pointed out.
        grouped: The part whose classes the columns of ``GROUPS`` are of; None without them.
        about: What else the caption says of the numbers.
        steps_title: Heading of the curves over ``steps``.
    """

    title: str
    prefix: str
    about = ""
    steps_title = "Head and tail"
    grouped: str | None = None
    where = "dataset"
    independent = False
    rules: tuple[Rule, ...] = ()
    below: tuple[str, ...] = ()

    def part(self, place: Place) -> str | None:
        """Which part of a unit a run is; None: of no unit of this table."""
        raise NotImplementedError

    def row(self, place: Place) -> Key:
        """The row of a run."""
        return Key(place.ratio, place.dataset, place.trainer, place.config, place.shots)

    def lacking(self, parts: Iterable[str]) -> str:
        """What keeps a unit of these parts from being counted; empty if nothing."""
        return ""

    def settled(self, units: Sequence[Unit]) -> list[Unit]:
        """The units of all rows, where a row can only be told when all are known."""
        return list(units)

    def remarks(self, units: Sequence[Unit]) -> list[str]:
        """What else is to be said of the runs, a line each."""
        return []

    def columns(self, units: Sequence[Unit]) -> tuple[str, ...]:
        """Heads of the accuracy columns."""
        raise NotImplementedError

    def values(self, unit: Unit, columns: Sequence[str]) -> Values:
        """The accuracies (%) of one unit; None where there is none."""
        raise NotImplementedError

    def compared(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Columns of the paired differences; of the last one every seed is shown."""
        return tuple(columns)

    def headline_first(self, columns: Sequence[str]) -> tuple[str, ...]:
        """The columns with the last compared one first, which a narrow screen must show."""
        headline = self.compared(columns)[-1]
        return (headline, *(column for column in columns if column != headline))

    def steps(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Columns that are steps of one thing, which a curve may join: groups of classes."""
        return tuple(column for column in GROUPS if column in columns)


def accuracy(unit: Unit, part: str | None) -> float | None:
    """Accuracy (%) of one part of a unit; None without that run."""
    return unit.metrics(part)["accuracy"] if part in unit.runs else None


def by_frequency(metrics: dict[str, Any]) -> Values:
    """Mean over classes, and over the classes of each group; None for a group without classes."""
    return {"macro": metrics["macro_accuracy"], **{name: metrics.get(name) for name in GROUPS}}
