"""The published numbers of a table, each as the place where ours will stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from npt_plugin.evaluation.groups import GROUPS
from npt_plugin.report.averaging import H_OF_AVERAGES, MEAN_OF_H
from npt_plugin.report.published import published
from npt_plugin.reproduction.tables import PublishedTable

_SINGLE = "single"  # the view of a plain test

AVERAGE = "average"
"""In place of a dataset, in the published files."""


@dataclass(frozen=True)
class Figure:
    """One published number.

    Attributes:
        trainer: Ours.
        tau: n_min / n_max.
        dataset: Tested on; ``AVERAGE``: all of the table.
        column: ``base``, ``new``, ``H``, a group of classes, ``accuracy``, or that of what was
            tested beside the result, ``accuracy (crops)``.
        value: In percent.
        seeds: How many it is the mean of.
        source: Where it stands.
    """

    trainer: str
    tau: float
    dataset: str
    column: str
    value: float
    seeds: int
    source: str

    @property
    def average(self) -> bool:
        """Whether it is of all datasets of the table."""
        return self.dataset == AVERAGE


def figures_of(table: PublishedTable) -> list[Figure]:
    """The published numbers of a table, in the order of its methods and datasets."""
    found = [
        figure
        for row in published(table.figures)
        if row["method"] in table.methods
        and row.get("protocol", table.protocol) == table.protocol
        and table.of_backbone in ("", row.get("backbone"))
        for figure in _of_row(table, row)
    ]
    trainers, datasets = list(table.methods.values()), [*table.datasets, AVERAGE]
    kept = [f for f in found if f.dataset in datasets and f.tau in table.ratios]
    return sorted(
        kept, key=lambda f: (trainers.index(f.trainer), -f.tau, datasets.index(f.dataset))
    )


def _of_row(table: PublishedTable, row: dict[str, Any]) -> list[Figure]:
    columns = {"H_average_11_datasets": "H"}
    if row.get("tested", _SINGLE) != _SINGLE:  # its groups are no columns of ours
        columns = {"accuracy": f"accuracy ({row['tested']})", **dict.fromkeys(GROUPS, "")}
    values = {
        column: row[name]
        for name in ("base", "new", "H", "accuracy", "H_average_11_datasets", *GROUPS)
        if row.get(name) is not None and (column := columns.get(name, name))
    }
    where = row.get("target") or row.get("dataset") or AVERAGE
    return [
        Figure(
            trainer=table.methods[row["method"]],
            tau=row.get("tau", 1.0),
            dataset=where,
            column=column,
            value=value,
            seeds=int(row.get("seeds", 3)),
            source=row["source"],
        )
        for column, value in values.items()
    ]


def place_in_report(table: PublishedTable, figure: Figure) -> tuple[str, str]:
    """Row and column of our own table (``npt_plugin.report``) that a figure is compared with.

    An average of base-to-new goes by the rule that the published one fits: H of the averages, but
    the mean of H where no averages of base and new were published (the imbalanced table).
    """
    if table.protocol in ("xd", "dg"):
        average = f"average of {len(table.datasets)}"
        return "imagenet", average if figure.average else figure.dataset
    column = f"{table.shots} shots" if table.protocol == "few_shot" else figure.column
    if not figure.average:
        return figure.dataset, column
    return (MEAN_OF_H if "base" not in table.spread else H_OF_AVERAGES).name, column
