"""Does collapse go with accuracy on new classes? A point a run, and their correlation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from npt_plugin.errors import UserError
from npt_plugin.evaluation.correlation import correlation
from npt_plugin.plots.style import colour, marker, new_figure
from npt_plugin.plots.titles import heading, of_units, trainers_of
from npt_plugin.runs.units import Unit

if TYPE_CHECKING:  # matplotlib is optional
    from matplotlib.figure import Figure

_METRICS = {
    "nc3_distance": "NC3: distance of text from image means",
    "etf_distance_text": "NC2: distance of text from the ETF",
}

Point = tuple[str, str, float, float]
"""Trainer, dataset, metric, accuracy on new classes."""


def accuracy_against_collapse(units: Sequence[Unit]) -> Figure:
    """New-class accuracy against two NC metrics of the base classes: colours are trainers.

    With several datasets, told apart by shape, both are shown relative to the mean of the dataset's
    runs: how hard a dataset is would be all one sees. Above each panel is the correlation r of the
    points shown with its 95 % interval, which allows for the means taken out.

    Args:
        units: Base-to-new units.

    Raises:
        UserError: If no run has the metrics.
    """
    trainers, datasets = trainers_of(units), sorted({unit.key.dataset for unit in units})
    if not any(_points(units, metric) for metric in _METRICS):
        raise UserError("These runs have no neural-collapse metrics to draw.")
    figure, axes = new_figure(9.6, 5.0, columns=len(_METRICS))
    end = "\n(minus the dataset's mean)" if len(datasets) > 1 else ""
    for axis, (metric, label) in zip(axes, _METRICS.items(), strict=True):
        points = _points(units, metric)
        shown = _relative(points) if len(datasets) > 1 else points
        for trainer, dataset, x, y in shown:
            look = {"color": colour(trainers.index(trainer)), "marker": _shape(datasets, dataset)}
            axis.scatter([x], [y], s=36, alpha=0.8, linewidths=0, **look)
        axis.set_title(_said(shown), fontsize=9)
        axis.set(xlabel=label + end, ylabel="accuracy on new classes (%)" + end)
        axis.locator_params(axis="x", nbins=5)
    _legends(figure, trainers, datasets)
    heading(figure, "Accuracy on new classes against collapse on base classes", of_units(units))
    return figure


def _shape(datasets: Sequence[str], dataset: str) -> str:
    return marker(datasets.index(dataset))


def _points(units: Sequence[Unit], metric: str) -> list[Point]:
    """Of the runs whose record has the metric."""
    held = [unit for unit in units if metric in unit.metrics("base").get("nc", {})]
    seen: dict[
        tuple[str, str, int, float, float], None
    ] = {}  # the zero-shot reference stands beside every tau, but is one run
    for unit in held:
        at = (unit.metrics("base")["nc"][metric], unit.metrics("new")["accuracy"])
        seen[(unit.key.trainer, unit.key.dataset, unit.seed, *at)] = None
    return [(trainer, dataset, x, y) for trainer, dataset, _, x, y in seen]


def _relative(points: Sequence[Point]) -> list[Point]:
    means: dict[str, tuple[float, float]] = {}
    for dataset in {point[1] for point in points}:
        own = [point for point in points if point[1] == dataset]
        means[dataset] = (sum(p[2] for p in own) / len(own), sum(p[3] for p in own) / len(own))
    return [(t, d, x - means[d][0], y - means[d][1]) for t, d, x, y in points]


def _said(points: Sequence[Point]) -> str:
    """The correlation, or why there is none."""
    found = correlation(
        [p[2] for p in points], [p[3] for p in points], means=len({p[1] for p in points})
    )
    if found is None:
        return f"{len(points)} runs: too few for a correlation, or one does not vary"
    r, low, high = found
    return f"pooled r {r:.2f} [{low:.2f}, {high:.2f}], {len(points)} runs"


def _legends(figure: Figure, trainers: Sequence[str], datasets: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    look: dict[str, Any] = {"linestyle": "", "markersize": 6}
    colours = [Line2D([], [], marker="o", color=colour(i), **look) for i in range(len(trainers))]
    shapes = [Line2D([], [], marker=_shape(datasets, d), color="0.4", **look) for d in datasets]
    form: dict[str, Any] = {"frameon": False, "fontsize": 9, "ncols": 2}
    figure.legend(colours, trainers, loc="outside lower left", **form)
    if len(datasets) > 1:
        figure.legend(shapes, datasets, loc="outside lower right", **form)
