"""H of every seed, by dataset and trainer, and of their average."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from npt_plugin.evaluation.averages import h_of_averages
from npt_plugin.plots.style import colour, legend_below, marker, new_figure
from npt_plugin.plots.titles import heading, of_units, said_shots, trainers_of
from npt_plugin.runs.units import Unit

if TYPE_CHECKING:  # matplotlib is optional
    from matplotlib.figure import Figure

_AVERAGE = "average\n(H of averages)"

Place = tuple[bool, str, float, int | None]
"""Whether it is an average, dataset, tau, shots: a group of the axis; averages come last."""


def every_seed(units: Sequence[Unit]) -> Figure:
    """H of every seed as a dot and their mean as a line, by dataset and trainer.

    Where a tau has several datasets, an average stands at the right: H of the average base and new
    accuracy, of the seeds that all datasets have.

    Args:
        units: Base-to-new units.
    """
    trainers = trainers_of(units)
    values = {**_single(units), **_averages(units)}
    places = sorted({place for place, _ in values}, key=lambda p: (p[0], p[1], p[2], p[3] or 0))
    figure, (axis,) = new_figure(max(6.4, min(16.0, 0.3 * len(places) * len(trainers) + 2)), 4.4)
    step = 0.8 / len(trainers)
    for (place, trainer), found in values.items():
        number = trainers.index(trainer)
        at = places.index(place) + (number - (len(trainers) - 1) / 2) * step
        mean = sum(found) / len(found)
        axis.hlines(mean, at - 0.4 * step, at + 0.4 * step, color=colour(number), linewidth=2.5)
        spread = [at + 0.15 * step * (i - (len(found) - 1) / 2) for i in range(len(found))]
        look = {"color": colour(number), "markersize": 5, "alpha": 0.75}
        axis.plot(spread, found, marker(number), label=trainer, **look)
    single = [place for place in places if not place[0]]
    if len(single) < len(places):
        axis.axvline(len(single) - 0.5, color="black", linewidth=0.8)
    names = [_name(place, len({p[2:] for p in places}) > 1) for place in places]
    turn, side = (20, "right") if len(places) > 3 else (0, "center")
    axis.set_xticks(range(len(places)), names, rotation=turn, ha=side, rotation_mode="anchor")
    axis.set(ylabel="H (%); the axis does not begin at 0", xlim=(-0.6, len(places) - 0.4))
    axis.grid(axis="x", visible=False)
    legend_below(figure, axis, order=trainers)
    heading(figure, "H of every seed (dots) and their mean (lines)", of_units(units))
    return figure


def _name(place: Place, several: bool) -> str:
    _, dataset, tau, shots = place
    return f"{dataset}\ntau {tau:g}, {said_shots(shots)}" if several else dataset


def _single(units: Sequence[Unit]) -> dict[tuple[Place, str], list[float]]:
    found: dict[tuple[Place, str], list[float]] = {}
    for unit in sorted(units, key=lambda u: u.seed):
        place = (False, unit.key.dataset, unit.key.ratio, unit.key.shots)
        found.setdefault((place, unit.key.trainer), []).append(h_of_averages([_pair(unit)]))
    return found


def _averages(units: Sequence[Unit]) -> dict[tuple[Place, str], list[float]]:
    """Of trainers that were run on all datasets of their tau and shots; one config a dataset."""
    datasets: dict[tuple[float, int | None], set[str]] = {}
    pairs: dict[tuple[float, int | None, str], dict[int, dict[str, tuple[float, float]]]] = {}
    for unit in units:
        key = unit.key
        datasets.setdefault((key.ratio, key.shots), set()).add(key.dataset)
        seeds = pairs.setdefault((key.ratio, key.shots, key.trainer), {})
        seeds.setdefault(unit.seed, {})[key.dataset] = _pair(unit)
    found: dict[tuple[Place, str], list[float]] = {}
    for (tau, shots, trainer), seeds in pairs.items():
        every = datasets[tau, shots]
        whole = [
            h_of_averages([*s.values()]) for _, s in sorted(seeds.items()) if s.keys() == every
        ]
        if len(every) > 1 and whole:
            found[(True, _AVERAGE, tau, shots), trainer] = whole
    return found


def _pair(unit: Unit) -> tuple[float, float]:
    return unit.metrics("base")["accuracy"], unit.metrics("new")["accuracy"]
