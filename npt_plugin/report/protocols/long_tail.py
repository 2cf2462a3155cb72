"""The table of long-tail recognition."""

from __future__ import annotations

from collections.abc import Sequence

from npt_plugin.evaluation.groups import GROUPS
from npt_plugin.report.averaging import Values
from npt_plugin.report.protocols.base import Table, accuracy, by_frequency
from npt_plugin.runs.layout import Place
from npt_plugin.runs.units import Unit


class LongTail(Table):
    """Trained on a long-tailed dataset, tested on its balanced test images."""

    title, prefix = "Long-tail recognition", "long_tail_"
    below = ("accuracy",)
    grouped = ""

    def part(self, place: Place) -> str | None:
        """A unit is one run."""
        return "" if place.protocol == "long_tail" else None

    def columns(self, units: Sequence[Unit]) -> tuple[str, ...]:
        """Groups of classes by training images, their mean, and all images."""
        return (*GROUPS, "macro", "accuracy")

    def values(self, unit: Unit, columns: Sequence[str]) -> Values:
        """As the record has them."""
        return {**by_frequency(unit.metrics("")), "accuracy": accuracy(unit, "")}
