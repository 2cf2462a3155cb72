"""Where new images go: the share that a base class takes, by its number of training images."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from npt_plugin.errors import UserError
from npt_plugin.evaluation.averages import mean_and_sd
from npt_plugin.plots.style import colour, legend_below, marker, new_figure
from npt_plugin.plots.titles import heading, of_units, said_shots, trainers_of
from npt_plugin.runs.units import Unit

if TYPE_CHECKING:  # matplotlib is optional
    from matplotlib.figure import Figure


def where_new_images_go(units: Sequence[Unit]) -> Figure:
    """New test images that one base class takes, by its training images; a panel a setting.

    A point is the mean over all classes with that many images, of every dataset and seed. A line
    that rises says that frequent classes pull; zero-shot CLIP, which has seen none of the images,
    shows what likeness alone does.

    Args:
        units: Base-to-new units.

    Raises:
        UserError: If no run was tested with all names together.
    """
    units = [unit for unit in units if _taken(unit)]
    if not units:
        raise UserError("These runs were not tested with all names together: no open_world.")
    trainers = trainers_of(units)
    settings = sorted({(u.key.ratio, u.key.shots or 0) for u in units}, reverse=True)
    figure, axes = new_figure(1.4 + 4.6 * len(settings), 4.4, columns=len(settings))
    for axis, (tau, shots) in zip(axes, settings, strict=True):
        for number, trainer in enumerate(trainers):
            held = [
                unit
                for unit in units
                if (unit.key.ratio, unit.key.shots or 0, unit.key.trainer) == (tau, shots, trainer)
            ]
            points = shares_by_count(held)
            look: dict[str, Any] = {"color": colour(number), "marker": marker(number)}
            if points:
                axis.plot(*zip(*points, strict=True), label=trainer, markersize=5, **look)
        axis.set(xlabel="training images of the base class", ylabel="new images it takes (%)")
        axis.set_ylim(bottom=0)
        if len(settings) > 1:
            axis.set_title(f"tau {tau:g}, {said_shots(shots)}", fontsize=9)
    legend_below(figure, *axes, order=trainers)
    what = "New images taken for a base class, by how frequent that class is in training"
    heading(figure, what, of_units(units))
    return figure


def shares_by_count(units: Sequence[Unit]) -> list[tuple[int, float]]:
    """Training images of a base class, and the mean share (%) of new images such a class takes."""
    found: dict[int, list[float]] = defaultdict(list)
    for unit in units:
        counts = unit.runs["base"].record.class_counts or []
        for n, share in zip(counts, _taken(unit), strict=True):
            found[n].append(share)
    return [(n, mean_and_sd(shares)[0]) for n, shares in sorted(found.items())]


def _taken(unit: Unit) -> list[float]:
    found = (unit.metrics("new").get("open_world") or {}).get("taken")
    return list(found or [])
