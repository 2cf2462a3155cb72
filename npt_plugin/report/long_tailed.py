"""Published numbers of long-tailed datasets beside ours: many, medium, few and all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from npt_plugin.evaluation.groups import GROUPS
from npt_plugin.report.formats import Cells
from npt_plugin.report.protocols.long_tail import tested_beside
from npt_plugin.report.published import LONG_TAILED, published
from npt_plugin.runs.units import Unit
from npt_plugin.runs.variants import method_name


def long_tailed_table(summary: Sequence[dict[str, Any]], units: Sequence[Unit]) -> Cells:
    """A row a method and view, of the datasets at hand: the published ones first.

    Ours have a row of the plain test, and one for whatever was tested beside it, of which only the
    accuracy of all images is a column of our own table.

    Args:
        summary: Of the long-tail protocol.
        units: Its runs.
    """
    heads = ["dataset", "method", "backbone", "tested", *GROUPS, "all", "source"]
    backbones = {
        (u.key.dataset, method_name(u.key.trainer, u.key.config), u.key.config): u.backbone
        for u in units
    }
    rows = []
    for dataset in dict.fromkeys(row["dataset"] for row in summary):
        of_dataset = [row for row in published(LONG_TAILED) if row["dataset"] == dataset]
        for row in of_dataset:
            numbers = [_cell(row[name]) for name in (*GROUPS, "accuracy")]
            name = f"{row['method']} (published)"
            rows.append([dataset, name, row["backbone"], row["tested"], *numbers, row["source"]])
        for row in (row for row in summary if row["dataset"] == dataset and of_dataset):
            backbone = backbones[row["dataset"], row["trainer"], row["config"]]
            rows += _ours(row, backbone, tested_beside(units))
    return heads, rows


def _ours(row: dict[str, Any], backbone: str, beside: Sequence[str]) -> list[list[str]]:
    name, about = f"{row['trainer']} (re-run here)", f"{row['config']}, n {row['n']}"
    groups = [_cell(row[group]) for group in GROUPS]
    plain = [row["dataset"], name, backbone, "single", *groups, _cell(row["accuracy"]), about]
    others = [
        [row["dataset"], name, backbone, tested, "-", "-", "-", _cell(value), about]
        for tested in beside
        if (value := row[f"accuracy ({tested})"]) is not None
    ]
    return [plain, *others]


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
