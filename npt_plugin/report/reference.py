"""The zero-shot reference in every setting: it learns nothing, so it is run once a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from npt_plugin.evaluation.groups import GROUPS
from npt_plugin.evaluation.open_world import pull
from npt_plugin.runs.collect import Run
from npt_plugin.runs.units import ZERO_SHOT, Unit


def with_reference(units: Sequence[Unit]) -> list[Unit]:
    """The units, and the zero-shot reference of a dataset in its other settings as well.

    Without it the reference would be beside the trainers of one ratio only, and datasets that
    have theirs at different ones would have no average of it. Its accuracy does not depend on
    ratio, shots and seed. Which classes are many-, medium- and few-shot does, so a unit that is
    lent to another setting has no accuracy of these groups, and the training counts of that
    setting. It is lent to its own backbone only.

    Args:
        units: Of one protocol.
    """
    zero = sorted((u for u in units if u.key.trainer == ZERO_SHOT), key=lambda unit: unit.seed)
    references: dict[tuple[str, str], Unit] = {}
    for unit in zero:
        references.setdefault((unit.key.dataset, unit.backbone), unit)
    there = {_setting(unit) for unit in zero}
    seed = min((unit.seed for unit in zero), default=0)
    lent: dict[tuple[object, ...], Unit] = {}
    for unit in units:
        reference = references.get((unit.key.dataset, unit.backbone))
        if reference is not None and _setting(unit) not in there:
            key = replace(reference.key, ratio=unit.key.ratio, shots=unit.key.shots)
            counts = _counts(unit)
            runs = {part: _lent(part, run, counts) for part, run in reference.runs.items()}
            lent[_setting(unit)] = Unit(key, seed, runs)
    return [*units, *lent.values()]


def _setting(unit: Unit) -> tuple[object, ...]:
    return unit.key.dataset, unit.backbone, unit.key.ratio, unit.key.shots


def _counts(unit: Unit) -> list[int] | None:
    """Training images of the classes that a base-to-new unit was trained on."""
    base = unit.runs.get("base")
    return base.record.class_counts if base is not None else None


def _lent(part: str, run: Run, counts: list[int] | None) -> Run:
    metrics = {name: value for name, value in run.metrics.items() if name not in GROUPS}
    together = metrics.get("open_world")
    if together:
        metrics["open_world"] = _with_counts(together, counts)
    held = replace(run.record, metrics=metrics, thresholds=None)
    return replace(run, record=replace(held, class_counts=counts) if part == "base" else held)


def _with_counts(together: dict[str, Any], counts: list[int] | None) -> dict[str, Any]:
    """Measures of all names together as they are for other training counts."""
    taken = together.get("taken")
    known = bool(taken and counts and len(taken) == len(counts))
    again = pull(torch.tensor(taken), counts) if known else None  # type: ignore[arg-type]  # known
    groups = {f"taken_{group}": None for group in GROUPS}
    return {**together, **groups, "pull": again, "taken": taken if known else None}
