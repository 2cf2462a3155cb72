"""What each protocol's table shows: which runs make a row, its columns, how datasets average."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from npt_plugin.evaluation.averages import harmonic_mean
from npt_plugin.evaluation.groups import GROUPS
from npt_plugin.report.averaging import H_OF_AVERAGES, MEAN, MEAN_OF_H, Rule, Values
from npt_plugin.runs.layout import Place
from npt_plugin.runs.units import Key, Unit

SOURCE = "source"
"""Part of a transfer: the run that trained on the source dataset."""

VARIANTS = ("imagenetv2", "imagenet_sketch", "imagenet_a", "imagenet_r")
"""Targets of domain generalisation, in the order of the published tables."""


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
    """

    title: str
    prefix: str
    about = ""
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

    def columns(self, units: Sequence[Unit]) -> tuple[str, ...]:
        """Heads of the accuracy columns."""
        raise NotImplementedError

    def values(self, unit: Unit, columns: Sequence[str]) -> Values:
        """The accuracies (%) of one unit; None where there is none."""
        raise NotImplementedError

    def compared(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Columns of the paired differences; of the last one every seed is shown."""
        return tuple(columns)


class BaseToNew(Table):
    """Trained on the first half of the classes, tested on it and on the other half."""

    title, prefix = "Base-to-new generalisation", ""
    rules = (H_OF_AVERAGES, MEAN_OF_H)
    below = ("base", "H")
    grouped = "base"
    about = "; macro, many, medium and few are of the base classes"
    _halves = {"train_base": "base", "test_new": "new"}

    def part(self, place: Place) -> str | None:
        """``"base"`` or ``"new"``."""
        return self._halves.get(place.part) if place.protocol == "base2new" else None

    def lacking(self, parts: Iterable[str]) -> str:
        """Both halves are needed."""
        missing = [half for half in ("base", "new") if half not in parts]
        return f"no completed run on the {' and '.join(missing)} classes" if missing else ""

    def columns(self, units: Sequence[Unit]) -> tuple[str, ...]:
        """Base, new and H; on the base classes also the mean of classes and of groups."""
        return ("base", "new", "H", "macro", *GROUPS)

    def values(self, unit: Unit, columns: Sequence[str]) -> Values:
        """H is of this seed's own base and new accuracy."""
        base, new = unit.metrics("base"), unit.metrics("new")["accuracy"]
        return {
            "base": base["accuracy"],
            "new": new,
            "H": harmonic_mean(base["accuracy"], new),
            **_by_frequency(base),
        }

    def compared(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Base, new and H."""
        return ("base", "new", "H")


class FewShot(Table):
    """Trained and tested on all classes: accuracy by the number of shots."""

    title, prefix = "Few-shot learning", "few_shot_"
    about = ", on all classes"
    independent = True
    rules = (MEAN,)

    def part(self, place: Place) -> str | None:
        """The number of shots."""
        return str(place.shots) if place.protocol == "few_shot" else None

    def row(self, place: Place) -> Key:
        """The shots are columns, not rows."""
        return Key(place.ratio, place.dataset, place.trainer, place.config, None)

    def columns(self, units: Sequence[Unit]) -> tuple[str, ...]:
        """A column for every number of shots that was run."""
        shots = sorted({int(part) for unit in units for part in unit.runs})
        return tuple(f"{n} shot{'s' if n > 1 else ''}" for n in shots)

    def values(self, unit: Unit, columns: Sequence[str]) -> Values:
        """Accuracy on all classes."""
        shots = {column: column.split()[0] for column in columns}
        return {c: _accuracy(unit, n) for c, n in shots.items()}


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
        values = {part: _accuracy(unit, part) for part in each}
        targets = [values[part] for part in each if part != SOURCE]
        present = [value for value in targets if value is not None]
        whole = len(present) == len(targets)
        return {**values, average: sum(present) / len(present) if whole else None}


class DomainGeneralisation(CrossDataset):
    """Trained on ImageNet, tested on its four variants."""

    title, prefix = "Domain generalisation", "domain_generalisation_"
    _variants = True


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
        return {**_by_frequency(unit.metrics("")), "accuracy": _accuracy(unit, "")}


def _accuracy(unit: Unit, part: str) -> float | None:
    return unit.metrics(part)["accuracy"] if part in unit.runs else None


def _by_frequency(metrics: dict[str, Any]) -> Values:
    """Mean over classes, and over the classes of each group; None for a group without classes."""
    return {"macro": metrics["macro_accuracy"], **{name: metrics.get(name) for name in GROUPS}}


TABLES: tuple[Table, ...] = (
    BaseToNew(),
    FewShot(),
    CrossDataset(),
    DomainGeneralisation(),
    LongTail(),
)
"""In the order of the report."""

BASE_TO_NEW = TABLES[0]
