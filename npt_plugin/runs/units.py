"""Runs that belong together: one seed of one row of a table.

A base-to-new unit is two runs, on the base and on the new classes; a few-shot unit is one run for
every number of shots; a cross-dataset unit is the training on the source and a test per target.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from npt_plugin.runs.collect import PlacedRun, Run
from npt_plugin.runs.layout import Place

ZERO_SHOT = "ZeroshotCLIP"
"""The trainer that learns nothing; the others are compared with it."""


@dataclass(frozen=True, order=True)
class Key:
    """What a row stands for; its seeds are averaged.

    Attributes:
        ratio: tau = n_min / n_max.
        dataset: Trained on; or the name of an average over datasets.
        trainer: Registry name.
        config: Name of the trainer's config file.
        shots: Images of the largest class; None where they are the table's columns.
        over: The datasets of an average; empty for a single one.
    """

    ratio: float
    dataset: str
    trainer: str
    config: str
    shots: int | None = 16
    over: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unit:
    """One seed of one row.

    Attributes:
        key: The row.
        seed: The seed.
        runs: Its runs by part.
    """

    key: Key
    seed: int
    runs: dict[str, Run]

    def metrics(self, part: str) -> dict[str, Any]:
        """Metrics of one part, from its record."""
        return self.runs[part].metrics

    @property
    def backbone(self) -> str:
        """Name or file of the CLIP; empty in records that do not say."""
        return next(iter(self.runs.values())).record.backbone or ""

    @property
    def backbone_in_full(self) -> str:
        """The same and what the file holds, where there is one and its record says so."""
        held = next(iter(self.runs.values())).record.backbone_file
        return f"{self.backbone} ({held})" if held else self.backbone


@dataclass(frozen=True)
class Twins:
    """Two completed runs of one setting, for example below ``ratio_1`` and ``ratio_1.0``."""

    shown: Run
    other: Run


class Grouping(Protocol):
    """What makes runs a unit."""

    independent: bool
    """Whether each part is trained by itself, so that a unit may be of several spellings."""

    def part(self, place: Place) -> str | None:
        """Which part of a unit a run is; None: of no unit."""

    def row(self, place: Place) -> Key:
        """The row of a run's unit."""

    def lacking(self, parts: Iterable[str]) -> str:
        """What keeps a unit of these parts from being counted; empty if nothing."""


def group(runs: Sequence[PlacedRun], grouping: Grouping) -> tuple[list[Unit], list[Twins]]:
    """The units that ``runs`` make, and the runs that another of the same setting stands in for.

    Of two folders that spell one setting differently, the complete one counts; of two complete
    ones that with today's spelling.

    Args:
        runs: Completed ones.
        grouping: The protocol's.
    """
    found: dict[tuple[Key, int], dict[tuple[str, ...], dict[str, Run]]]
    found = defaultdict(lambda: defaultdict(dict))
    for run in sorted(runs, key=lambda r: (not r.canonical, r.folder)):
        part = grouping.part(run.place)
        if part is not None:
            found[grouping.row(run.place), run.place.seed][run.spelling][part] = run
    units, twins = [], []
    for (key, seed), spellings in found.items():
        candidates = list(spellings.values())
        if not grouping.independent:
            candidates = [parts for parts in candidates if not grouping.lacking(parts)]
        chosen: dict[str, Run] = {}
        for parts in candidates:
            twins += [Twins(chosen[part], parts[part]) for part in parts if part in chosen]
            if grouping.independent or not chosen:
                chosen = {**parts, **chosen}
        if chosen:
            units.append(Unit(key, seed, chosen))
    return units, twins


def ranked(keys: Iterable[Key]) -> list[Key]:
    """Datasets by name, averages last; the zero-shot reference first, then base before NPT."""
    return sorted(
        keys,
        key=lambda k: (
            *(bool(k.over), k.dataset, k.ratio, k.shots or 0),
            *(k.trainer != ZERO_SHOT, k),
        ),
    )
