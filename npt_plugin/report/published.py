"""Numbers from papers beside ours, each by its own rule of averaging, and how protocols differ."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from importlib import resources
from typing import Any

from npt_plugin.evaluation.groups import GROUPS
from npt_plugin.report.averaging import H_OF_AVERAGES, MEAN_OF_H
from npt_plugin.report.formats import Cells
from npt_plugin.runs.units import ZERO_SHOT, Unit

BASE2NEW = "published_base2new.csv"
"""Four methods on eleven datasets: method, dataset, base, new, H, source."""

AVERAGES = "published_balanced_averages.csv"
"""Thirty methods on average over the eleven datasets, H of the averages: method, base, new, H."""

IMBALANCED = "published_imbalanced_base2new.csv"
"""Six methods at three ratios: method, tau, mean of the H of the eleven datasets."""

LONG_TAILED = "published_long_tail.csv"
"""Methods on long-tailed datasets, each with its backbone and what was tested (a single view, or
LIFT's crops): many, medium, few, accuracy. Figures that could be read nowhere are not there."""

_NUMERIC = ("base", "new", "H", "tau", "H_average_11_datasets", "accuracy", *GROUPS)
_SHOTS = 16


def published(name: str) -> list[dict[str, Any]]:
    """One of the tables as dicts; accuracies and ratios as floats, None where there is none."""
    text = (resources.files(__package__) / name).read_text(encoding="utf-8")
    return [
        {key: _number(value) if key in _NUMERIC else value for key, value in row.items()}
        for row in csv.DictReader(text.splitlines())
    ]


def _number(text: str) -> float | None:
    return float(text) if text else None


def balanced_rows(summary: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Published rows of the datasets at hand and of the average; below each, ours on balanced data.

    Published averages are H of the averages, so of our two averages only that one is beside them.

    Args:
        summary: The base-to-new summary.
    """
    known = [row for row in published(BASE2NEW) if row["dataset"] != "average"]
    known += [
        {**row, "dataset": H_OF_AVERAGES.name, "source": _source(row)}
        for row in published(AVERAGES)
    ]
    here = {row["dataset"] for row in summary} | {H_OF_AVERAGES.name}
    rows = []
    for dataset in dict.fromkeys(row["dataset"] for row in known):
        if dataset not in here:
            continue
        for row in (row for row in known if row["dataset"] == dataset):
            rows.append({**row, "method": f"{row['method']} (published)"})
        for row in _as_published([row for row in summary if row["dataset"] == dataset]):
            rows.append({**row, "method": f"{row['trainer']} (re-run here)", "source": _about(row)})
    return rows


def _source(row: dict[str, Any]) -> str:
    parts = (row["venue"], row["paper"], row["note"])
    return "; ".join(part for part in parts if part)


def _as_published(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Our rows of balanced 16 shots; of zero-shot CLIP, which is the same everywhere, one."""
    zero = [row for row in rows if row["trainer"] == ZERO_SHOT][:1]
    trained = [row for row in rows if row["trainer"] != ZERO_SHOT]
    return zero + [row for row in trained if row["tau"] == 1 and row["shots"] == _SHOTS]


def _about(row: dict[str, Any]) -> str:
    over = f", {len(row['over'])} datasets" if row["over"] else ""
    return f"{row['config']}, n {row['n']}{over}"


def balanced_table(rows: Sequence[dict[str, Any]]) -> Cells:
    """Cells of ``balanced_rows``."""
    heads = ["dataset", "method", "base", "new", "H", "source"]
    return heads, [
        [r["dataset"], r["method"], *(f"{r[c]:.2f}" for c in ("base", "new", "H")), r["source"]]
        for r in rows
    ]


def imbalanced_table(summary: Sequence[dict[str, Any]]) -> Cells:
    """H under imbalance, a row a method, a column a ratio: published, then our mean of H.

    Args:
        summary: The base-to-new summary.
    """
    table: dict[tuple[str, str], dict[float, float]] = {}
    for row in published(IMBALANCED):
        method = (f"{row['method']} (published)", row["source"])
        table.setdefault(method, {})[row["tau"]] = row["H_average_11_datasets"]
    ratios = sorted({tau for values in table.values() for tau in values}, reverse=True)
    ours = [row for row in summary if row["dataset"] == MEAN_OF_H.name and row["shots"] == _SHOTS]
    for row in ours:
        method = (f"{row['trainer']} (re-run here)", _about(row))
        table.setdefault(method, {})[row["tau"]] = row["H"]
    heads = ["method", *(f"tau {ratio:g}" for ratio in ratios), "source"]
    return heads, [
        [method, *(f"{values[r]:.2f}" if r in values else "-" for r in ratios), source]
        for (method, source), values in table.items()
    ]


def protocol_differences(units: Sequence[Unit]) -> list[str]:
    """One sentence for each way in which published and re-run numbers are not the same thing.

    Args:
        units: Base-to-new units.
    """
    trained = [unit.runs["base"].record for unit in units]

    def here(key: str) -> str:
        return _listed({getattr(record, key) for record in trained} - {None})

    lines = [
        f"Backbone: published ViT-B/16; here {here('backbone')}.",
        "Training data: published 16 images of every base class; here n_max "
        f"{here('shots')} with tau = n_min/n_max {here('ratio')} (1: balanced).",
        f"Seeds: published 3 (zero-shot CLIP: none); here {here('seed')}.",
        f"Epochs: as in each paper; here {here('epochs')}. Model tested: here {here('selection')}.",
    ]
    datasets = {unit.key.dataset for unit in units}
    shared = {row["dataset"] for row in published(BASE2NEW)} - {"average"}
    if datasets != shared:
        lines.append(
            f"Averages: published over eleven datasets; here over {len(datasets)}, of which "
            f"{len(datasets & shared)} are among the eleven. They are not of the same data."
        )
    foreign = sorted(datasets - shared)
    if foreign:
        has = "has" if len(foreign) == 1 else "have"
        lines.append(f"Datasets: {', '.join(foreign)} {has} no published number.")
    return lines


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(sorted({f"{v:g}" if isinstance(v, float) else str(v) for v in values}))
