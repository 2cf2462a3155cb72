"""Accuracy over the number of shots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from npt_plugin.evaluation.averages import mean_and_sd
from npt_plugin.plots.style import colour, legend_below, marker, new_figure
from npt_plugin.plots.titles import heading, of_units, trainers_of
from npt_plugin.runs.units import ZERO_SHOT, Unit

if TYPE_CHECKING:  # matplotlib is optional
    from matplotlib.figure import Figure

ASIDE = 1.04
"""A curve's points stand beside the next one's by this factor, so that no bar hides another."""


def accuracy_over_shots(units: Sequence[Unit]) -> Figure:
    """A line a trainer: mean over datasets, with the standard deviation over seeds.

    Zero-shot CLIP, which is run once for all shots, is a level line.

    Args:
        units: Few-shot units.
    """
    shots = sorted({int(part) for unit in units for part in unit.runs})
    figure, (axis,) = new_figure(6.4, 4.4)
    trainers = trainers_of(units)
    curves = [trainer for trainer in trainers if trainer != ZERO_SHOT]
    for number, trainer in enumerate(trainers):
        own = [unit for unit in units if unit.key.trainer == trainer]
        if trainer == ZERO_SHOT:
            level = mean_and_sd([_accuracy(unit, next(iter(unit.runs))) for unit in own])[0]
            axis.axhline(level, color=colour(number), linestyle="--", label=trainer)
            continue
        found = [(n, values) for n in shots if (values := _by_seed(own, str(n)))]
        means = [mean_and_sd(values)[0] for _, values in found]
        spread = [mean_and_sd(v)[1] if len(v) > 1 else 0.0 for _, v in found]
        look = {"color": colour(number), "marker": marker(number), "capsize": 2.5}
        aside = ASIDE ** (curves.index(trainer) - (len(curves) - 1) / 2)
        axis.errorbar([n * aside for n, _ in found], means, spread, label=trainer, **look)
    axis.set_xscale("log", base=2)
    axis.set_xticks(shots, [str(n) for n in shots])
    axis.minorticks_off()
    axis.set(xlabel="images of the largest class", ylabel="accuracy (%), axis not from 0")
    legend_below(figure, axis)
    what = "Accuracy over shots, mean over datasets ± sd over seeds"
    heading(figure, what, of_units(units))
    return figure


def _accuracy(unit: Unit, part: str) -> float:
    return float(unit.metrics(part)["accuracy"])


def _by_seed(units: Sequence[Unit], part: str) -> list[float]:
    """The mean over datasets of each seed that has them all."""
    seeds: dict[int, list[float]] = {}
    for unit in units:
        if part in unit.runs:
            seeds.setdefault(unit.seed, []).append(_accuracy(unit, part))
    most = max((len(found) for found in seeds.values()), default=0)
    return [sum(s) / len(s) for _, s in sorted(seeds.items()) if len(s) == most]
