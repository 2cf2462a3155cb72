"""Head and tail: accuracy of many-, medium- and few-shot classes by trainer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from npt_plugin.evaluation.averages import mean_and_sd
from npt_plugin.evaluation.groups import GROUPS
from npt_plugin.plots.style import colour, legend_below, new_figure
from npt_plugin.plots.titles import heading, of_units, trainers_of
from npt_plugin.runs.record import Record
from npt_plugin.runs.units import Unit

if TYPE_CHECKING:  # matplotlib is optional
    from matplotlib.figure import Figure


def head_and_tail(units: Sequence[Unit]) -> Figure:
    """Mean over datasets, as a bar, with the standard deviation over seeds; a panel a setting.

    Below each group is how many training images and how many classes of a dataset it has.

    Args:
        units: Of base-to-new (their base classes) or of long-tail recognition.
    """
    trainers = trainers_of(units)
    settings = sorted({(u.key.ratio, u.key.shots or 0) for u in units}, reverse=True)
    figure, axes = new_figure(1.2 + 5.2 * len(settings), 4.4, columns=len(settings))
    for axis, (tau, shots) in zip(axes, settings, strict=True):
        held = [u for u in units if (u.key.ratio, u.key.shots or 0) == (tau, shots)]
        for number, trainer in enumerate(trainers):
            _bars(axis, number, len(trainers), [u for u in held if u.key.trainer == trainer])
        records = [_record(unit) for unit in held]
        axis.set_xticks(range(len(GROUPS)), [_about(group, records) for group in GROUPS])
        axis.set(ylabel="accuracy (%)", ylim=(0, 112), yticks=range(0, 101, 20))
        axis.grid(axis="x", visible=False)
        if len(settings) > 1:
            axis.set_title(f"tau {tau:g}, {'all' if shots < 0 else shots} shots", fontsize=9)
    legend_below(figure, *axes, order=trainers)
    what = "Accuracy of head and tail classes, mean over datasets ± sd over seeds"
    heading(figure, what, of_units(units))
    return figure


def _bars(axis: Any, number: int, trainers: int, units: Sequence[Unit]) -> None:
    step = 0.8 / trainers
    for place, group in enumerate(GROUPS):
        values = _by_seed(units, group)
        if not values:
            continue
        at = place + (number - (trainers - 1) / 2) * step
        mean, sd = mean_and_sd(values)
        sd = sd if len(values) > 1 else 0.0
        label = units[0].key.trainer
        axis.bar(at, mean, step * 0.9, color=colour(number), label=label, alpha=0.85)
        if sd:
            axis.errorbar(at, mean, sd, color="black", capsize=2.5, linewidth=1)
        axis.text(at, mean + sd + 1, f"{mean:.0f}", ha="center", fontsize=8)


def _record(unit: Unit) -> Record:
    return unit.runs["base" if "base" in unit.runs else ""].record


def _by_seed(units: Sequence[Unit], group: str) -> list[float]:
    """The mean over datasets of each seed that has them all."""
    seeds: dict[int, dict[str, float]] = {}
    for unit in units:
        value = (_record(unit).metrics or {}).get(group)
        if value is not None:
            seeds.setdefault(unit.seed, {})[unit.key.dataset] = value
    most = max((len(found) for found in seeds.values()), default=0)
    return [sum(s.values()) / len(s) for _, s in sorted(seeds.items()) if len(s) == most]


def _about(group: str, records: Sequence[Record]) -> str:
    """Name of a group, its thresholds, and how many classes a dataset has in it."""
    limits = [record.thresholds for record in records if record.thresholds]
    many = _range({limit["many_above"] for limit in limits})
    few = _range({limit["few_below"] for limit in limits})
    images = {"many": f"> {many} images", "medium": "between", "few": f"< {few} images"}
    held = [r.per_class for r in records if r.per_class and r.thresholds]
    classes = {sum(c["group"] == group for c in found) for found in held}
    said = [f"{group}-shot", *([images[group]] if limits else [])]
    return "\n".join([*said, *([_classes(classes)] if classes else [])])


def _classes(numbers: set[int]) -> str:
    return f"{_range(numbers)} class{'' if numbers == {1} else 'es'}"


def _range(numbers: set[float] | set[int]) -> str:
    if not numbers:
        return ""
    low, high = min(numbers), max(numbers)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
