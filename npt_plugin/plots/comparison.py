"""Trainers side by side: every seed, accuracy against collapse, accuracy of head and tail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from npt_plugin.evaluation.averages import harmonic_mean
from npt_plugin.evaluation.groups import GROUPS
from npt_plugin.plots.style import colour, marker, new_figure
from npt_plugin.runs.units import Unit, ranked

if TYPE_CHECKING:  # matplotlib is optional
    from matplotlib.figure import Figure

_METRICS = ("nc3_distance", "etf_distance_text")
_LABELS = ("NC3: distance of text from image means", "NC2: distance of text from the ETF")


def _harmonic(unit: Unit) -> float:
    return harmonic_mean(unit.metrics("base")["accuracy"], unit.metrics("new")["accuracy"])


def _trainers(units: Sequence[Unit]) -> list[str]:
    return list(dict.fromkeys(k.trainer for k in ranked([p.key for p in units])))


def _grouped(units: Sequence[Unit]) -> dict[str, dict[tuple[str, float], list[Unit]]]:
    groups: dict[str, dict[tuple[str, float], list[Unit]]] = defaultdict(lambda: defaultdict(list))
    for unit in units:
        groups[unit.key.trainer][unit.key.dataset, unit.key.ratio].append(unit)
    return groups


def every_seed(units: Sequence[Unit]) -> Figure:
    """H of every seed as a dot and the mean as a bar, by dataset and trainer."""
    trainers, groups = _trainers(units), _grouped(units)
    places = sorted({(p.key.dataset, p.key.ratio) for p in units})
    figure, (axis,) = new_figure(max(6.4, 1.1 * len(places) * len(trainers) * 0.5 + 2), 4.2)
    step = 0.8 / len(trainers)
    for number, trainer in enumerate(trainers):
        for place, group in enumerate(places):
            values = [_harmonic(p) for p in groups[trainer].get(group, [])]
            if not values:
                continue
            at = place + (number - (len(trainers) - 1) / 2) * step
            mean = sum(values) / len(values)
            axis.bar(
                at,
                mean,
                step * 0.85,
                color=colour(number),
                alpha=0.35,
                label=trainer if place == 0 else None,
            )
            spread = [at + 0.12 * step * (i - (len(values) - 1) / 2) for i in range(len(values))]
            axis.plot(spread, values, marker(number), color=colour(number), markersize=5)
    one_ratio = len({ratio for _, ratio in places}) == 1
    names = [name if one_ratio else f"{name}\ntau {ratio:g}" for name, ratio in places]
    turn, side = (20, "right") if len(places) > 2 else (0, "center")
    axis.set_xticks(range(len(places)), names, rotation=turn, ha=side, rotation_mode="anchor")
    axis.set(ylabel="H (%), dots: seeds, bars: means", xlim=(-0.6, len(places) - 0.4))
    axis.grid(axis="x", visible=False)
    figure.legend(loc="outside upper center", ncols=min(4, len(trainers)), frameon=False)
    return figure


def accuracy_against_collapse(units: Sequence[Unit]) -> Figure:
    """New-class accuracy against two NC metrics of the base classes, a point a run.

    With several datasets both are shown relative to the mean of the dataset's runs: how hard a
    dataset is would be all one sees.
    """
    trainers = _trainers(units)
    several = len({p.key.dataset for p in units}) > 1
    figure, axes = new_figure(9.6, 4.2, columns=len(_METRICS))
    for axis, metric, label in zip(axes, _METRICS, _LABELS, strict=True):
        points = _relative(units, metric) if several else _absolute(units, metric)
        for number, trainer in enumerate(trainers):
            shown = [point for name, point in points if name == trainer]
            if shown:
                look = {"color": colour(number), "marker": marker(number), "label": trainer}
                axis.scatter(*zip(*shown, strict=True), s=36, alpha=0.8, **look)
        end = "\n(minus the dataset's mean)" if several else ""
        axis.set(xlabel=label + end, ylabel="accuracy on new classes (%)" + end)
        axis.locator_params(axis="x", nbins=5)
    handles, labels = axes[0].get_legend_handles_labels()
    columns = min(4, len(trainers))
    figure.legend(handles, labels, loc="outside upper center", ncols=columns, frameon=False)
    return figure


Point = tuple[str, tuple[float, float]]
"""Trainer, and metric against accuracy."""


def _absolute(units: Sequence[Unit], metric: str) -> list[Point]:
    return [
        (p.key.trainer, (p.metrics("base")["nc"][metric], p.metrics("new")["accuracy"]))
        for p in units
        if metric in p.metrics("base").get("nc", {})
    ]


def _relative(units: Sequence[Unit], metric: str) -> list[Point]:
    found = []
    for dataset in dict.fromkeys(p.key.dataset for p in units):
        points = _absolute([p for p in units if p.key.dataset == dataset], metric)
        if points:
            x, y = (sum(point[i] for _, point in points) / len(points) for i in (0, 1))
            found += [(name, (a - x, b - y)) for name, (a, b) in points]
    return found


def head_and_tail(units: Sequence[Unit]) -> Figure:
    """Accuracy of many-, medium- and few-shot classes by trainer, mean over datasets and seeds."""
    trainers = _trainers(units)
    figure, (axis,) = new_figure(6.4, 3.8)
    step = 0.8 / len(trainers)
    for number, trainer in enumerate(trainers):
        for place, group in enumerate(GROUPS):
            ours = [p.metrics("base") for p in units if p.key.trainer == trainer]
            values = [m[group] for m in ours if m.get(group) is not None]
            if values:
                at = place + (number - (len(trainers) - 1) / 2) * step
                mean = sum(values) / len(values)
                axis.bar(
                    at,
                    mean,
                    step * 0.9,
                    color=colour(number),
                    label=trainer if place == 0 else None,
                )
                axis.text(at, mean + 1, f"{mean:.0f}", ha="center", fontsize=8)
    axis.set_xticks(range(3), [f"{group}-shot classes" for group in GROUPS])
    axis.set(ylabel="accuracy on base classes (%)", ylim=(0, 105))
    axis.grid(axis="x", visible=False)
    figure.legend(loc="outside upper center", ncols=min(4, len(trainers)), frameon=False)
    return figure
