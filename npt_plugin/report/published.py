"""Numbers from papers, and in what their protocol differs from the runs at hand."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from npt_plugin.report.runs import AVERAGE, Pair

BASE2NEW, IMBALANCED = "published_base2new.csv", "published_imbalanced_base2new.csv"


def published(name: str) -> list[dict[str, Any]]:
    """One of the two tables as dicts; numbers as floats.

    Args:
        name: ``BASE2NEW`` (method, dataset, base, new, H, ...) or ``IMBALANCED`` (method, tau,
            H_average_11_datasets, ...).
    """
    numeric = ("base", "new", "H", "tau", "H_average_11_datasets")
    with Path(__file__).with_name(name).open(encoding="utf-8", newline="") as file:
        return [
            {key: float(v) if key in numeric else v for key, v in row.items()}
            for row in csv.DictReader(file)
        ]


def beside(datasets: Sequence[str]) -> list[dict[str, Any]]:
    """Published base-to-new rows of these datasets, and of the average over the eleven."""
    wanted = {*datasets, AVERAGE}
    return [row for row in published(BASE2NEW) if row["dataset"] in wanted]


def protocol_differences(pairs: Sequence[Pair]) -> list[str]:
    """One sentence for each way in which published and re-run numbers are not the same thing."""

    def here(key: str) -> str:
        values = {pair.base.get(key) for pair in pairs if pair.base.get(key) is not None}
        return ", ".join(sorted(f"{v:g}" if isinstance(v, float) else str(v) for v in values))

    datasets = sorted({pair.key.dataset for pair in pairs})
    shared = {row["dataset"] for row in published(BASE2NEW)} - {AVERAGE}
    foreign = [name for name in datasets if name not in shared]
    lines = [
        f"Backbone: published ViT-B/16; here {here('backbone')}.",
        "Training data: published 16 images of every base class; here n_max "
        f"{here('shots')} with tau = n_min/n_max {here('ratio')} (1: balanced).",
        f"Seeds: published 3 (zero-shot CLIP: none); here {here('seed')}.",
        f"Epochs: as in each paper; here {here('epochs')}. Model tested: here {here('selection')}.",
    ]
    if foreign:
        lines.append(
            f"Datasets: {', '.join(foreign)} {'has' if len(foreign) == 1 else 'have'} no published "
            "number; the published average is over the eleven real datasets, ours is not."
        )
    return lines
