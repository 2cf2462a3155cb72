"""From units to rows: averages over datasets; mean, standard deviation and n over seeds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from npt_plugin.evaluation.averages import mean_and_sd
from npt_plugin.report.averaging import Rule, Values, rule_of
from npt_plugin.report.protocols import Table
from npt_plugin.runs.layout import ALL_SHOTS
from npt_plugin.runs.units import Key, Unit, ranked
from npt_plugin.runs.variants import method_name, suffix_of

Rows = dict[Key, dict[int, Values]]
"""Values by row and seed."""


def rows_of(table: Table, units: Sequence[Unit], columns: Sequence[str]) -> Rows:
    """Values per row and seed."""
    rows: Rows = defaultdict(dict)
    for unit in units:
        rows[unit.key][unit.seed] = table.values(unit, columns)
    return dict(rows)


def add_averages(rows: Rows, rules: Sequence[Rule]) -> Rows:
    """Add a row per method and rule: over its datasets, seed by seed; seeds that all have.

    A method is a trainer with one config for each dataset (a published config may be another one
    for ImageNet). A trainer that was run with several on one dataset is one method per config.
    """
    result = dict(rows)
    for keys in _methods(rows):
        common = sorted(set.intersection(*({*rows[key]} for key in keys)))
        if len(keys) < 2 or not common:
            continue
        variant = suffix_of(keys[0].config)
        configs = ", ".join(sorted({key.config.removesuffix(variant) for key in keys})) + variant
        over = tuple(sorted(key.dataset for key in keys))
        for rule in rules:
            average = replace(keys[0], dataset=rule.name, config=configs, over=over)
            result[average] = {
                seed: rule.over_datasets([rows[key][seed] for key in keys]) for seed in common
            }
    return result


def _methods(rows: Rows) -> list[list[Key]]:
    """The rows of each method, one a dataset."""
    trainers: dict[tuple[Any, ...], list[Key]] = defaultdict(list)
    for key in rows:
        trainers[key.ratio, key.trainer, suffix_of(key.config), key.shots].append(key)
    methods: list[list[Key]] = []
    for keys in trainers.values():
        by_config: dict[str, list[Key]] = defaultdict(list)
        for key in keys:
            by_config[key.config].append(key)
        once = len({key.dataset for key in keys}) == len(keys)
        methods += [keys] if once else by_config.values()
    return methods


def labels(table: Table, key: Key) -> dict[str, Any]:
    """What a row stands for, by the heads of the first columns."""
    said: dict[str, Any] = {table.where: key.dataset, "tau": key.ratio}
    if key.shots is not None:
        said["shots"] = "all" if key.shots == ALL_SHOTS else key.shots
    return said


def summarise(table: Table, rows: Rows, columns: Sequence[str]) -> list[dict[str, Any]]:
    """One dict per row: what it is, n, seeds, and mean, sd and each seed's value of every column.

    The mean of H over seeds is that of the seeds' H; in a row of the rule "H of averages" it is
    the H of the row's own mean base and mean new accuracy.
    """
    summary = []
    for key in ranked(rows):
        seeds = dict(sorted(rows[key].items()))
        means = rule_of(key.dataset).over_seeds(list(seeds.values()))
        entry: dict[str, Any] = {
            **labels(table, key),
            "trainer": method_name(key.trainer, key.config),
            "config": key.config,
            "over": list(key.over),
            "n": len(seeds),
            "seeds": list(seeds),
        }
        for column in columns:
            values = [value for one in seeds.values() if (value := one[column]) is not None]
            sd = mean_and_sd(values)[1] if len(values) > 1 else None
            entry[column], entry[f"{column}_sd"] = means[column], sd
            entry[f"{column}_values"] = values
        summary.append(entry)
    return summary
