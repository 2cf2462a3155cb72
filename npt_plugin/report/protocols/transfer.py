"""The tables of transfer to other datasets, and to variants of the same one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from npt_plugin.report.averaging import Values
from npt_plugin.report.protocols.base import Table, accuracy
from npt_plugin.runs.layout import Place
from npt_plugin.runs.units import Key, Unit
from npt_plugin.sweep.protocols import VARIANTS

SOURCE = "source"
"""Part of a transfer: the run that trained on the source dataset."""


class CrossDataset(Table):
    """Trained on all classes of a source dataset, tested on other datasets."""

    title, prefix = "Cross-dataset transfer", "cross_dataset_"
    where = "trained on"
    about = ". The average is of the targets, without the source"
    _variants = False

    def part(self, place: Place) -> str | None:
        """``SOURCE``, or the name of the target."""
        if place.protocol not in ("xd", "dg"):
            return None
        if place.part == "train":
            return SOURCE
        return place.dataset if (place.dataset in VARIANTS) == self._variants else None

    def row(self, place: Place) -> Key:
        """A row is named for the source, not for the target."""
        return Key(place.ratio, place.source, place.trainer, place.config, place.shots)

    def lacking(self, parts: Iterable[str]) -> str:
        """One target at least."""
        return "" if {*parts} - {SOURCE} else "no completed run on a target"

    def columns(self, units: Sequence[Unit]) -> tuple[str, ...]:
        """The source, every target that was tested, and the average of the targets."""
        targets = {part for unit in units for part in unit.runs} - {SOURCE}
        ordered = [name for name in VARIANTS if name in targets] or sorted(targets)
        return (SOURCE, *ordered, f"average of {len(ordered)}")

    def values(self, unit: Unit, columns: Sequence[str]) -> Values:
        """The average is only there where every target of the table was tested."""
        *each, average = columns
        values = {part: accuracy(unit, part) for part in each}
        targets = [values[part] for part in each if part != SOURCE]
        present = [value for value in targets if value is not None]
        whole = len(present) == len(targets)
        return {**values, average: sum(present) / len(present) if whole else None}


class DomainGeneralisation(CrossDataset):
    """Trained on ImageNet, tested on its four variants."""

    title, prefix = "Domain generalisation", "domain_generalisation_"
    _variants = True
