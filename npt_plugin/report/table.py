"""The base-to-new table: base, new and H per dataset and method, mean, sd and n over seeds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from npt_plugin.evaluation.averages import harmonic_mean, mean_and_sd
from npt_plugin.report.differences import Rows
from npt_plugin.report.runs import AVERAGE, Key, Pair, find_pairs

COLUMNS = ("base", "new", "H", "macro", "many", "medium", "few")


def collect(output: Path) -> Rows:
    """Values per row and seed, from every completed pair of base and new records.

    Args:
        output: Top folder given to the runs.

    Raises:
        UserError: If there is no completed pair below it.
    """
    return values_of(find_pairs(output))


def values_of(pairs: Sequence[Pair]) -> Rows:
    """Values per row and seed of these pairs."""
    rows: Rows = defaultdict(dict)
    for pair in pairs:
        rows[pair.key][pair.seed] = _values(pair.base["metrics"], pair.new["metrics"])
    return dict(rows)


def _values(base: dict[str, Any], new: dict[str, Any]) -> dict[str, float | None]:
    return {
        "base": base["accuracy"],
        "new": new["accuracy"],
        "H": harmonic_mean(base["accuracy"], new["accuracy"]),
        "macro": base["macro_accuracy"],
        **{group: base.get(group) for group in ("many", "medium", "few")},
    }


def add_averages(rows: Rows) -> Rows:
    """Add an ``average`` row per method: over datasets, seed by seed; seeds in all of them."""
    groups: dict[tuple[float, str, str, int], list[dict[int, dict[str, float | None]]]]
    groups = defaultdict(list)
    for key, seeds in rows.items():
        groups[key.ratio, key.trainer, key.config, key.shots].append(seeds)
    result = dict(rows)
    for (ratio, *method), members in groups.items():
        if len(members) < 2:
            continue
        common = sorted(set.intersection(*(set(m) for m in members)))
        if common:
            key = Key(ratio, AVERAGE, *method)
            result[key] = {seed: _average([m[seed] for m in members]) for seed in common}
    return result


def _average(values: list[dict[str, float | None]]) -> dict[str, float | None]:
    mean: dict[str, float | None] = {}
    for column in COLUMNS:
        present = [v[column] for v in values if v[column] is not None]
        mean[column] = sum(present) / len(present) if present else None
    return mean


def summarise(rows: dict[Key, dict[int, dict[str, float | None]]]) -> list[dict[str, Any]]:
    """One dict per row: keys, n, seeds, and mean and sd of every column."""
    table = []
    for key, seeds in rows.items():
        entry: dict[str, Any] = {
            "dataset": key.dataset,
            "tau": key.ratio,
            "shots": key.shots,
            "trainer": key.trainer,
            "config": key.config,
            "n": len(seeds),
            "seeds": sorted(seeds),
        }
        for column in COLUMNS:
            values = [v[column] for _, v in sorted(seeds.items()) if v[column] is not None]
            mean, sd = mean_and_sd(values) if values else (None, None)
            entry[column], entry[f"{column}_sd"] = mean, sd if sd == sd else None
            entry[f"{column}_values"] = values
        table.append(entry)
    return table
