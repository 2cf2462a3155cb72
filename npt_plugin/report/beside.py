"""What runs have tested beside their own results: ensembles, averages, and what they bring."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from npt_plugin.evaluation.averages import interval, mean_and_sd
from npt_plugin.report.formats import Cells
from npt_plugin.report.results import Results
from npt_plugin.runs.layout import ALL_SHOTS
from npt_plugin.runs.units import Key, ranked
from npt_plugin.runs.variants import method_name

CAPTION = (
    "Tested beside the result of each run, which none of it has changed or chosen. Accuracy in "
    "percent; difference from the result in points [95 % t-interval], paired over seeds, or over "
    "the test images where there is one seed."
)
_HEADS = ["dataset", "tau", "shots", "trainer", "part", "tested", "n", "plain", "accuracy"]

Pair = tuple[float, dict[str, Any]]
"""A run's own accuracy, and the metrics of what was tested beside it."""


def beside_table(results: Results) -> Cells | None:
    """A row a method, part and name; None if no run has tested anything."""
    found: dict[Key, dict[tuple[str, str], list[Pair]]] = defaultdict(lambda: defaultdict(list))
    for unit in results.units:
        for part, run in unit.runs.items():
            for name, metrics in (run.record.beside or {}).items():
                pair = (run.metrics["accuracy"], metrics)
                found[unit.key][part, name].append(pair)
    rows = [
        [*_labels(key), part or "-", name, *_cells(pairs)]
        for key in ranked(found)
        for (part, name), pairs in sorted(found[key].items())
    ]
    return ([*_HEADS, "difference", "paired over"], rows) if rows else None


def _labels(key: Key) -> list[str]:
    shots = "all" if key.shots == ALL_SHOTS else "-" if key.shots is None else str(key.shots)
    return [key.dataset, f"{key.ratio:g}", shots, method_name(key.trainer, key.config)]


def _cells(pairs: Sequence[Pair]) -> list[str]:
    plain, _ = mean_and_sd([own for own, _ in pairs])
    other, _ = mean_and_sd([metrics["accuracy"] for _, metrics in pairs])
    differences = [metrics["accuracy"] - own for own, metrics in pairs]
    paired = pairs[0][1]["paired"]
    over, ends = "seeds", interval(differences)
    if ends is None:
        over, ends = f"{paired['n']} {paired['over']}", paired["interval"]
    said = f"{other - plain:+.2f}"
    said += "" if ends is None else f" [{ends[0]:+.2f}, {ends[1]:+.2f}]"
    return [str(len(pairs)), f"{plain:.2f}", f"{other:.2f}", said, over]
