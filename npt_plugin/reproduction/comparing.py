"""Our numbers beside the published ones, figure by figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from npt_plugin.report.protocols import TABLES
from npt_plugin.report.results import results_of
from npt_plugin.reproduction.figures import Figure, figures_of, place_in_report
from npt_plugin.reproduction.presets import Presets, drift
from npt_plugin.reproduction.tables import PublishedTable
from npt_plugin.reproduction.tolerance import tolerance
from npt_plugin.runs.collect import Found, PlacedRun, find_runs
from npt_plugin.runs.layout import Place
from npt_plugin.runs.units import ZERO_SHOT
from npt_plugin.sweep.job import Job, Step

INSIDE, ABOVE, BELOW, MISSING = "inside", "above", "below", "missing"

_REPORTED = dict(zip(("base2new", "few_shot", "xd", "dg", "long_tail"), TABLES, strict=True))


@dataclass(frozen=True)
class Compared:
    """One published number and ours.

    Attributes:
        figure: The published one.
        ours: Our mean over seeds (%); None: there is none yet.
        sd: Our standard deviation over seeds; None for fewer than two.
        n: Our seeds.
        tolerance: Points that the means may differ.
    """

    figure: Figure
    ours: float | None = None
    sd: float | None = None
    n: int = 0
    tolerance: float = 0.0

    @property
    def difference(self) -> float | None:
        """Ours less the published one, in points."""
        return None if self.ours is None else self.ours - self.figure.value

    @property
    def verdict(self) -> str:
        """``INSIDE`` the tolerance, its ends included, ``ABOVE`` or ``BELOW`` it, ``MISSING``."""
        if self.difference is None:
            return MISSING
        if abs(self.difference) <= self.tolerance + 1e-9:
            return INSIDE
        return ABOVE if self.difference > 0 else BELOW


@dataclass
class Comparison:
    """A table and what we have of it.

    Attributes:
        table: The table.
        figures: In its order.
        runs: Completed runs of ours, as they stand in its layout.
        missing: Runs that have not completed: trainer and dataset, and which seeds.
        drifts: ``"KEY: a -> b"`` where a run is not the preset, and the runs that have it.
        seeds: Seeds that were asked for.
    """

    table: PublishedTable
    figures: list[Compared]
    runs: list[PlacedRun] = field(default_factory=list)
    missing: dict[str, list[int]] = field(default_factory=dict)
    drifts: dict[str, list[str]] = field(default_factory=dict)
    seeds: tuple[int, ...] = ()


def compare(table: PublishedTable, jobs: Sequence[Job], presets: Presets) -> Comparison:
    """Look at the runs that are there.

    Args:
        table: The table.
        jobs: All of it that was asked for, at least one.
        presets: Of the table.

    Raises:
        UserError: If a record is damaged.
    """
    steps = {step.place: step for job in jobs for step in job.steps()}
    found = find_runs(Path(jobs[0].output))
    own = [run for run in found.completed if run.place in steps]
    results = results_of(_REPORTED[table.protocol], Found(found.output, completed=own))
    rows = results.summary if results else []
    where = _REPORTED[table.protocol].where
    figures = figures_of(table)
    compared = [_compared(table, figure, figures, rows, where) for figure in figures]
    return Comparison(
        table,
        compared,
        own,
        _missing(jobs, {run.place for run in own}),
        drifts_of(presets, ((steps[run.place], run.record.config) for run in own)),
        tuple(dict.fromkeys(job.seed for job in jobs if job.trainer != ZERO_SHOT)),
    )


def drifts_of(
    presets: Presets, runs: Iterable[tuple[Step, Mapping[str, Any]]]
) -> dict[str, list[str]]:
    """``"KEY: a -> b"`` for all that is not the preset, each with the runs that have it."""
    found: dict[str, list[str]] = {}
    for step, config in runs:
        for line in drift(presets, step.job, config, step.part.trains):
            names = found.setdefault(line, [])
            names += [_name(step)] if _name(step) not in names else []
    return {line: sorted(names) for line, names in found.items()}


def _missing(jobs: Sequence[Job], done: Set[Place]) -> dict[str, list[int]]:
    """Seeds of what has not completed; a training stands for the tests of what it learns."""
    found: dict[str, list[int]] = {}
    for job in jobs:
        training, *tests = job.steps()
        gone = [training] if training.place not in done else tests
        for step in gone:
            if step.place not in done:
                found.setdefault(_name(step), []).append(job.seed)
    return found


def _name(step: Step) -> str:
    job = step.job
    of = f"{step.dataset} {job.trainer}" + ("" if job.ratio == 1 else f" tau {job.ratio:g}")
    return of if step.part.trains else f"{of} ({step.part.name})"


def _compared(
    table: PublishedTable,
    figure: Figure,
    figures: Sequence[Figure],
    rows: Sequence[dict[str, Any]],
    where: str,
) -> Compared:
    """A figure and our row of it; an average only counts if it is over all of the datasets."""
    name, column = place_in_report(table, figure)
    for row in rows:
        if (row[where], row["trainer"], row["tau"]) != (name, figure.trainer, figure.tau):
            continue
        whole = not row["over"] or {*row["over"]} == {*table.datasets}
        if whole and row.get(column) is not None:
            n = len(row[f"{column}_values"])
            wide = tolerance(table, figure, figures, n)
            return Compared(figure, row[column], row[f"{column}_sd"], n, wide)
    return Compared(figure)
