"""Is NPT better than its base trainer? Per-seed differences, and runs below zero-shot CLIP."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from npt_plugin.evaluation.averages import interval, mean_and_sd
from npt_plugin.report.runs import Key, ranked

COMPARED = ("base", "new", "H")
REFERENCE = "ZeroshotCLIP"

Rows = dict[Key, dict[int, dict[str, float | None]]]
"""Values by row and seed."""


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
