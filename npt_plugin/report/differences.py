"""Is NPT better than its base trainer? Per-seed differences, and runs below zero-shot CLIP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from npt_plugin.evaluation.averages import interval, mean_and_sd
from npt_plugin.report.averaging import Values
from npt_plugin.report.protocols import Table
from npt_plugin.report.table import Rows, labels
from npt_plugin.runs.units import ZERO_SHOT, Key, ranked


def paired_differences(table: Table, rows: Rows, columns: Sequence[str]) -> list[dict[str, Any]]:
    """NPT_X minus X on the same dataset, ratio, config and seed, for every X that was run.

    Averages are compared by the same rule and over the same datasets only.

    Args:
        table: The protocol's table.
        rows: Values by row and seed, averages included.
        columns: Those to compare.

    Returns:
        One dict per comparison: what it is, n, seeds; of every column the mean difference, its
        95 % interval (None for one seed) and the seeds' differences. A column that a seed of
        either side lacks is of the other seeds; None where no seed has it.
    """
    found = []
    for key in ranked(rows):
        base = replace(key, trainer=key.trainer.removeprefix("NPT_"))
        seeds = sorted(rows[key].keys() & rows.get(base, {}).keys())
        if base == key or not seeds:
            continue
        entry: dict[str, Any] = {
            **labels(table, key),
            "config": key.config,
            "comparison": f"{key.trainer} - {base.trainer}",
            "over": list(key.over),
            "n": len(seeds),
            "seeds": seeds,
        }
        for column in columns:
            values = [
                ours - theirs
                for seed in seeds
                if (ours := rows[key][seed][column]) is not None
                and (theirs := rows[base][seed][column]) is not None
            ]
            entry[column] = mean_and_sd(values)[0] if values else None
            entry[f"{column}_interval"] = interval(values)
            entry[f"{column}_values"] = values
        found.append(entry)
    return found


def below_zero_shot(
    rows: Rows, columns: Sequence[str], backbones: Mapping[Key, str]
) -> list[dict[str, Any]]:
    """Trained runs that are below zero-shot CLIP on the same dataset in one of ``columns``.

    Zero-shot CLIP trains nothing, so any of its seeds and ratios will do. Averages are no runs.

    Args:
        rows: Values by row and seed.
        columns: Those to look at.
        backbones: Of each row; only the same one is compared.
    """
    reference: dict[tuple[str, str], Values] = {}
    single = [key for key in ranked(rows) if not key.over]
    for key in single:
        if key.trainer == ZERO_SHOT:
            reference.setdefault((key.dataset, backbones[key]), next(iter(rows[key].values())))
    flagged = []
    for key in single:
        zero = reference.get((key.dataset, backbones[key]))
        if zero is None or key.trainer == ZERO_SHOT:
            continue
        for seed, values in sorted(rows[key].items()):
            low = {
                column: (ours, theirs)
                for column in columns
                if (ours := values[column]) is not None
                and (theirs := zero[column]) is not None
                and ours < theirs
            }
            if low:
                flagged.append({"key": key, "seed": seed, "below": low})
    return flagged
