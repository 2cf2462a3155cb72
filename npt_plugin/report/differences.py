"""Is NPT better than its base, or than a named method? Per-seed differences; runs below CLIP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from npt_plugin.evaluation.averages import interval, mean_and_sd
from npt_plugin.report.averaging import Values
from npt_plugin.report.protocols import Table
from npt_plugin.report.table import Rows, labels
from npt_plugin.runs.units import ZERO_SHOT, Key, ranked
from npt_plugin.runs.variants import Method, method_name, suffix_of


def paired_differences(
    table: Table, rows: Rows, columns: Sequence[str], reference: Method | None = None
) -> list[dict[str, Any]]:
    """NPT_X minus X on the same dataset, ratio, config and seed, for every X that was run.

    Averages are compared by the same rule and over the same datasets only.

    Args:
        table: The protocol's table.
        rows: Values by row and seed, averages included.
        columns: Those to compare.
        reference: A method that all others are compared with besides, whatever their configs.

    Returns:
        One dict per comparison: what it is, n, seeds; of every column the mean difference, its
        95 % interval (None for one seed) and the seeds' differences. A column that a seed of
        either side lacks is of the other seeds; None where no seed has it.
    """
    found = []
    for key in ranked(rows):
        bases = [replace(key, trainer=key.trainer.removeprefix("NPT_"))]
        bases += [base for base in _of_method(rows, key, reference) if base not in bases]
        for base in bases:
            seeds = sorted(rows[key].keys() & rows.get(base, {}).keys())
            if base != key and seeds:
                found.append(_comparison(table, rows, columns, (key, base), seeds))
    return found


def _of_method(rows: Rows, key: Key, method: Method | None) -> list[Key]:
    """The rows of a method that a row may be compared with."""
    if method is None:
        return []
    return [
        other
        for other in rows
        if (other.trainer, suffix_of(other.config)) == (method.trainer, method.suffix)
        and replace(other, trainer=key.trainer, config=key.config) == key
    ]


def _comparison(
    table: Table, rows: Rows, columns: Sequence[str], pair: tuple[Key, Key], seeds: list[int]
) -> dict[str, Any]:
    key, base = pair
    entry: dict[str, Any] = {
        **labels(table, key),
        "config": key.config,
        "comparison": " - ".join(method_name(k.trainer, k.config) for k in pair),
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
    return entry


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
