"""The published tables that can be run again, read from ``tables.yaml``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import yaml

from npt_plugin.errors import UserError, nearest_hint
from npt_plugin.sweep.dataset_groups import with_groups
from npt_plugin.sweep.grid import Grid


@dataclass(frozen=True)
class PublishedTable:
    """One table: its runs, and what decides the verdict. ``tables.yaml`` says what each field is.

    Attributes:
        name: What users call it.
        title: One line.
        protocol: A key of ``sweep.protocols.PROTOCOLS``.
        datasets: Trained on; where the protocol tests elsewhere, tested on.
        methods: Trainer by its name in the published table.
        figures: File with the published numbers.
        of_backbone: Backbone of its rows that count; empty: all.
        ratios: tau = n_min / n_max.
        shots: Images of the largest class.
        backbone: ``MODEL.BACKBONE.NAME``; empty: the configs'.
        config: Name of a config that every trainer has; empty: each one's published config.
        seeds: Each 0 or more.
        spread: Standard deviation over seeds by column, in points.
        known: The same for single datasets, as published.
        floor: Smallest tolerance, in points.
        outside: Share of single figures that may be outside their tolerances.
        note: What else a reader must know.
    """

    name: str
    title: str
    protocol: str = ""
    datasets: tuple[str, ...] = ()
    methods: Mapping[str, str] = field(default_factory=dict)
    figures: str = ""
    of_backbone: str = ""
    ratios: tuple[float, ...] = (1.0,)
    shots: int = 16
    backbone: str = ""
    config: str = ""
    seeds: tuple[int, ...] = (1, 2, 3)
    spread: Mapping[str, float] = field(default_factory=dict)
    known: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    floor: float = 0.3
    outside: float = 0.1
    note: str = ""

    def grid(
        self, root: str, output: str, datasets: Sequence[str] = (), seeds: Sequence[int] = ()
    ) -> Grid:
        """Its runs as a sweep.

        Args:
            root: Folder of the datasets.
            output: Top folder of the runs.
            datasets: Some of its datasets; empty: all.
            seeds: Empty: its own.

        Raises:
            UserError: If a dataset is none of its own.
        """
        chosen = with_groups(datasets) or list(self.datasets)
        for name in chosen:
            if name not in self.datasets:
                raise UserError(
                    f"{self.name} has no dataset {name!r}{nearest_hint(name, self.datasets)}; it "
                    f"has {', '.join(self.datasets)}."
                )
        return Grid(
            datasets=[name for name in self.datasets if name in chosen],
            trainers=list(dict.fromkeys(self.methods.values())),
            seeds=list(seeds or self.seeds),
            ratios=self.ratios,
            shots=self.shots,
            protocol=self.protocol,
            config=self.config,
            backbone=self.backbone,
            root=root,
            output=output,
        )


def read_tables(text: str) -> dict[str, PublishedTable]:
    """Tables by name from the text of a ``tables.yaml``."""
    return {name: _table(name, about) for name, about in yaml.safe_load(text)["tables"].items()}


def _table(name: str, about: dict[str, Any]) -> PublishedTable:
    about = {key: tuple(v) if isinstance(v, list) else v for key, v in about.items()}
    about["datasets"] = tuple(with_groups(about.get("datasets", ())))
    return PublishedTable(name, **about)


TABLES = read_tables((resources.files(__package__) / "tables.yaml").read_text(encoding="utf-8"))
"""Name to table, in the order of the list that users see."""


def table_named(name: str) -> PublishedTable:
    """The table of that name.

    Raises:
        UserError: If there is none.
    """
    if name not in TABLES:
        hint = nearest_hint(name, TABLES)
        raise UserError(f"There is no table {name!r}{hint}; there are {', '.join(TABLES)}.")
    return TABLES[name]
