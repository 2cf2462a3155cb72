"""The base-to-new table: base, new and H per dataset and method, mean, sd and n over seeds."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabulate import tabulate

from npt_plugin.base2new import BASE, NEW
from npt_plugin.errors import UserError
from npt_plugin.evaluation import harmonic_mean, mean_and_sd
from npt_plugin.files import write_json, write_text
from npt_plugin.records import RESULTS, read_record

AVERAGE = "average"
_COLUMNS = ("base", "new", "H", "macro", "many", "medium", "few")


@dataclass(frozen=True, order=True)
class Key:
    """What a row stands for; seeds are averaged within it."""

    ratio: float
    dataset: str
    trainer: str
    config: str


def collect(output: Path) -> dict[Key, dict[int, dict[str, float | None]]]:
    """Values per row and seed, from every completed pair of base and new records.

    Args:
        output: Top folder given to the runs.

    Raises:
        UserError: If there is no completed pair below it.
    """
    rows: dict[Key, dict[int, dict[str, float | None]]] = defaultdict(dict)
    top = output / "base2new"
    for path in sorted((top / BASE).rglob(RESULTS)):
        other = top / NEW / path.relative_to(top / BASE)
        if not other.is_file():
            continue
        base, new = read_record(path), read_record(other)
        if base.get("status") != "completed" or new.get("status") != "completed":
            continue
        # <dataset>/shots_16/ratio_0.06/<trainer>/<config>/seed1/results.json
        dataset, _, _, trainer, config, *_ = path.relative_to(top / BASE).parts
        key = Key(base["ratio"], dataset, trainer, config)
        rows[key][base["seed"]] = _values(base["metrics"], new["metrics"])
    if not rows:
        raise UserError(f"{output} holds no completed base-to-new run: train some first.")
    return dict(rows)


def _values(base: dict[str, Any], new: dict[str, Any]) -> dict[str, float | None]:
    return {
        "base": base["accuracy"],
        "new": new["accuracy"],
        "H": harmonic_mean(base["accuracy"], new["accuracy"]),
        "macro": base["macro_accuracy"],
        **{group: base.get(group) for group in ("many", "medium", "few")},
    }


def add_averages(
    rows: dict[Key, dict[int, dict[str, float | None]]],
) -> dict[Key, dict[int, dict[str, float | None]]]:
    """Add an ``average`` row per method: over datasets, seed by seed; seeds in all of them."""
    groups: dict[tuple[float, str, str], list[dict[int, dict[str, float | None]]]]
    groups = defaultdict(list)
    for key, seeds in rows.items():
        groups[key.ratio, key.trainer, key.config].append(seeds)
    result = dict(rows)
    for (ratio, trainer, config), members in groups.items():
        if len(members) < 2:
            continue
        common = sorted(set.intersection(*(set(m) for m in members)))
        if common:
            key = Key(ratio, AVERAGE, trainer, config)
            result[key] = {seed: _average([m[seed] for m in members]) for seed in common}
    return result


def _average(values: list[dict[str, float | None]]) -> dict[str, float | None]:
    mean: dict[str, float | None] = {}
    for column in _COLUMNS:
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
            "trainer": key.trainer,
            "config": key.config,
            "n": len(seeds),
            "seeds": sorted(seeds),
        }
        for column in _COLUMNS:
            values = [v[column] for _, v in sorted(seeds.items()) if v[column] is not None]
            mean, sd = mean_and_sd(values) if values else (None, None)
            entry[column], entry[f"{column}_sd"] = mean, sd if sd == sd else None
            entry[f"{column}_values"] = values
        table.append(entry)
    return table


def as_text(table: list[dict[str, Any]]) -> str:
    """The table for a terminal: ``mean ± sd`` over seeds, accuracies in percent."""
    heads = ["dataset", "tau", "trainer", "n", *_COLUMNS]
    lines, last = [], None
    for row in table:
        first = (row["dataset"], row["tau"])
        shown = (row["dataset"], f"{row['tau']:g}") if first != last else ("", "")
        last = first
        lines.append([*shown, row["trainer"], row["n"], *(_cell(row, c) for c in _COLUMNS)])
    return tabulate(lines, heads, tablefmt="github", disable_numparse=True)


def _cell(row: dict[str, Any], column: str) -> str:
    if row[column] is None:
        return "-"
    sd = row[f"{column}_sd"]
    return f"{row[column]:.1f}" + ("" if sd is None else f" ± {sd:.1f}")


def as_csv(table: list[dict[str, Any]]) -> str:
    """The same as CSV, one line a row, full precision."""
    heads = ["dataset", "tau", "trainer", "config", "n"]
    heads += [name for column in _COLUMNS for name in (column, f"{column}_sd")]
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, heads, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return buffer.getvalue()


def report(output: Path) -> str:
    """Print the table of everything below ``output``; write it as CSV and JSON beside the runs."""
    rows = add_averages(collect(output))
    order = {"ZeroshotCLIP": 0}  # the reference first, then by name: CoOp before NPT_CoOp
    ranked = sorted(
        rows, key=lambda k: (k.dataset == AVERAGE, k.dataset, k.ratio, order.get(k.trainer, 1), k)
    )
    table = summarise({key: rows[key] for key in ranked})
    text = as_text(table)
    print(text)
    print("Accuracy in percent, mean ± sd over n seeds; base-class groups by training count.")
    write_text(output / "table.csv", as_csv(table))
    write_json(output / "table.json", table)
    print(f"Written to {output / 'table.csv'} and {output / 'table.json'}")
    return text
