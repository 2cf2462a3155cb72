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
        """Groups of classes by training images, their mean, and all images.

        Where runs have tested something beside their result, such as crops, its accuracy too.
        """
        beside = (f"accuracy ({name})" for name in tested_beside(units))
        return (*GROUPS, "macro", *beside, "accuracy")

    def values(self, unit: Unit, columns: Sequence[str]) -> Values:
        """As the record has them."""
        found = unit.runs[""].record.beside or {}
        beside: Values = {f"accuracy ({name})": one["accuracy"] for name, one in found.items()}
        plain = {**by_frequency(unit.metrics("")), "accuracy": accuracy(unit, "")}
        return {**dict.fromkeys(columns), **beside, **plain}


def tested_beside(units: Sequence[Unit]) -> list[str]:
    """Names of everything that the runs have tested beside their results, each once."""
    found = (unit.runs[""].record.beside or {} for unit in units)
    return list(dict.fromkeys(name for some in found for name in some))
