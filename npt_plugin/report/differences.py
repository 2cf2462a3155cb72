"""Is NPT better than its base trainer? Per-seed differences, and runs below zero-shot CLIP."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from npt_plugin.evaluation.metrics import mean_and_sd
from npt_plugin.report.runs import Key, ranked

COMPARED = ("base", "new", "H")
REFERENCE = "ZeroshotCLIP"
_CONFIDENCE = 0.95

Rows = dict[Key, dict[int, dict[str, float | None]]]
"""Values by row and seed."""


def interval(differences: Sequence[float]) -> tuple[float, float] | None:
    """95 % confidence interval of the mean difference (Student's t, n - 1 degrees of freedom).

    Args:
        differences: One per seed.

    Returns:
        Low and high end, or None for fewer than two seeds.
    """
    if len(differences) < 2:
        return None
    from scipy.stats import t

    mean, sd = mean_and_sd(differences)
    half = float(t.ppf(0.5 + _CONFIDENCE / 2, len(differences) - 1)) * sd
    half /= math.sqrt(len(differences))
    return mean - half, mean + half


def paired_differences(rows: Rows) -> list[dict[str, Any]]:
    """NPT_X minus X on the same dataset, ratio, config and seed, for every X that was run."""
    table = []
    for key in ranked(list(rows)):
        base = replace(key, trainer=key.trainer.removeprefix("NPT_"))
        seeds = sorted(rows[key].keys() & rows.get(base, {}).keys())
        if base == key or not seeds:
            continue
        entry: dict[str, Any] = {
            "dataset": key.dataset,
            "tau": key.ratio,
            "shots": key.shots,
            "config": key.config,
            "comparison": f"{key.trainer} - {base.trainer}",
            "n": len(seeds),
            "seeds": seeds,
        }
        for column in COMPARED:
            values = [rows[key][s][column] - rows[base][s][column] for s in seeds]
            entry[column], entry[f"{column}_interval"] = mean_and_sd(values)[0], interval(values)
            entry[f"{column}_values"] = values
        table.append(entry)
    return table


def below_zero_shot(rows: Rows) -> list[dict[str, Any]]:
    """Trained runs whose base accuracy or H is below zero-shot CLIP on the same dataset."""
    reference: dict[str, dict[str, float | None]] = {}
    for key in ranked(list(rows)):
        if key.trainer == REFERENCE:  # nothing is trained: any seed, any ratio
            reference.setdefault(key.dataset, next(iter(rows[key].values())))
    flagged = []
    for key in ranked(list(rows)):
        zero = reference.get(key.dataset)
        if zero is None or key.trainer == REFERENCE:
            continue
        for seed, values in sorted(rows[key].items()):
            low = {c: (values[c], zero[c]) for c in ("base", "H") if values[c] < zero[c]}
            if low:
                flagged.append({"key": key, "seed": seed, "below": low})
    return flagged
