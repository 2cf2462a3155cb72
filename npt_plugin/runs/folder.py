"""Open the output folder of a run: its record, its config, its class names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from yacs.config import CfgNode

from npt_plugin.config import DASSL_KEYS, KEYS, extend_cfg
from npt_plugin.engine.framework import get_cfg_default
from npt_plugin.errors import UserError
from npt_plugin.runs.config_tree import config_as_dict, flatten
from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import Record, read_record
from npt_plugin.runs.settings import merge_options

_RELATIVE = {key.name for key in (*KEYS, *DASSL_KEYS) if key.path}
"""Paths in a config that may be relative to where the run was started."""

_SPEED_ONLY = {key.name for key in KEYS if not key.numbers}
"""Not taken over from a record: they change no number."""


@dataclass(frozen=True)
class RunFolder:
    """A run on disk.

    Attributes:
        path: The run's ``OUTPUT_DIR``.
        record: Its checked ``results.json``.
    """

    path: Path
    record: Record

    @classmethod
    def open(cls, path: str | Path) -> RunFolder:
        """Read a run's record.

        Raises:
            UserError: If the folder holds no run.
        """
        path = Path(path).expanduser()
        if not (path / RESULTS).is_file():
            below = sorted(p.parent for p in path.rglob(RESULTS)) if path.is_dir() else []
            hint = f"; there are {len(below)} below it, for example {below[0]}" if below else ""
            raise UserError(f"{path} is not the output folder of a run: no {RESULTS}{hint}.")
        return cls(path, read_record(path / RESULTS))

    @property
    def class_names(self) -> list[str]:
        """Names of the run's classes, by label."""
        named = self.record.class_names or [entry["name"] for entry in self.record.per_class or ()]
        return list(named)

    def training_counts(self) -> torch.Tensor | None:
        """Training images per class (K,), where the run is tested with post-hoc adjustment.

        None without ``POSTHOC_TAU``, and for new classes, which have no training prior.
        """
        cfg = self.config()
        counts = self.record.class_counts
        adjusted = cfg.TRAINER.IMBALANCE_LOSS.POSTHOC_TAU and cfg.DATASET.SUBSAMPLE_CLASSES != "new"
        return torch.tensor(counts) if adjusted and counts else None

    def check_classes(self, found: Sequence[str]) -> None:
        """Refuse data whose classes are not those the run was trained with.

        Raises:
            UserError: If a class name or the order differs.
        """
        if list(found) != self.class_names:
            raise UserError(
                f"The data have other classes now than when {self.path} was run "
                f"({', '.join(list(found)[:3])}, ... instead of {', '.join(self.class_names[:3])}, "
                "...): give the data of that time with --root, or run it again."
            )

    def config(self, options: Sequence[Any] = ()) -> CfgNode:
        """The run's config with further ``KEY value`` options merged, not frozen.

        Raises:
            UserError: If the record's config does not fit this version.
        """
        cfg = extend_cfg(get_cfg_default())
        known = flatten(config_as_dict(cfg))
        for key, value in flatten(self.record.config).items():
            if key in known and value != known[key] and key not in _SPEED_ONLY:
                merge_options(cfg, [key, self._found(key, value)])
        merge_options(cfg, list(options))
        return cfg

    def _found(self, key: str, value: Any) -> Any:
        """A relative path as seen from where the run was started, if it is not there from here."""
        if key not in _RELATIVE or not value or Path(value).exists():
            return value
        there = Path(self.record.working_dir or "") / value
        return str(there) if there.exists() else value

    def checkpoint(self, model_class: Any) -> tuple[str, int | None]:
        """Folder and epoch (None: the best) of the prompts this run was tested with."""
        best = self.record.selection == "best_val"
        epoch = None if best else self.record.tested_epoch or self.record.epochs
        elsewhere = self.record.model_dir or ""  # of a run that only tested
        own = (self.path / model_class.checkpoint_name).is_dir() or not elsewhere
        return str(self.path) if own else elsewhere, epoch
