"""The table of few-shot learning."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from npt_plugin.report.averaging import MEAN, Values
from npt_plugin.report.protocols.base import Table, accuracy
from npt_plugin.runs.collect import Run
from npt_plugin.runs.layout import Place
from npt_plugin.runs.units import ZERO_SHOT, Key, Unit


class FewShot(Table):
    """Trained and tested on all classes: accuracy by the number of shots."""

    title, prefix = "Few-shot learning", "few_shot_"
    about = ", on all classes"
    independent = True
    rules = (MEAN,)
    steps_title = "Accuracy over shots"

    def part(self, place: Place) -> str | None:
        """The number of shots."""
        return str(place.shots) if place.protocol == "few_shot" else None

    def row(self, place: Place) -> Key:
        """The shots are columns, not rows."""
        return Key(place.ratio, place.dataset, place.trainer, place.config, None)

    def settled(self, units: Sequence[Unit]) -> list[Unit]:
        """One row a trainer, though its published config depends on the shots (CoOp's epochs do).

        Where one number of shots was run with several configs, each config has a row.
        """
        configs: dict[tuple[Key, str], set[str]] = defaultdict(set)
        runs: dict[tuple[Key, int], dict[str, Run]] = defaultdict(dict)
        for unit in units:
            key = replace(unit.key, config="")
            runs[key, unit.seed].update(unit.runs)
            for part in unit.runs:
                configs[key, part].add(unit.key.config)
        if any(len(found) > 1 for found in configs.values()):
            return list(units)
        return [Unit(key, seed, parts) for (key, seed), parts in runs.items()]

    def columns(self, units: Sequence[Unit]) -> tuple[str, ...]:
        """A column for every number of shots that was run."""
        shots = sorted({int(part) for unit in units for part in unit.runs})
        return tuple(f"{n} shot{'s' if n > 1 else ''}" for n in shots)

    def headline_first(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Shots have an order of their own."""
        return tuple(columns)

    def steps(self, columns: Sequence[str]) -> tuple[str, ...]:
        """All of them."""
        return tuple(columns)

    def values(self, unit: Unit, columns: Sequence[str]) -> Values:
        """Accuracy on all classes; of zero-shot CLIP, run once, the same for any shots."""
        shots = {column: column.split()[0] for column in columns}
        any_shots = next(iter(unit.runs)) if unit.key.trainer == ZERO_SHOT else None
        return {c: accuracy(unit, n if n in unit.runs else any_shots) for c, n in shots.items()}
