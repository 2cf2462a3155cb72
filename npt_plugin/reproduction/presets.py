"""The locked presets: every key that can change numbers, as it was when the table was made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path, PurePath
from typing import Any

from npt_plugin.config import DASSL_KEYS, KEYS
from npt_plugin.runs.config_tree import config_as_dict, config_difference, flatten
from npt_plugin.runs.settings import build_cfg
from npt_plugin.sweep.job import Job

Presets = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Trainer, then ``"all"`` (keys that all its runs share) or a run, then key to value."""

_COMMON = "all"


def stored(table: str) -> Presets:
    """The presets of a table, from ``presets.json``."""
    text = (resources.files(__package__) / "presets.json").read_text(encoding="utf-8")
    found: Presets = json.loads(text)[table]
    return found


def presets_of(jobs: Sequence[Job], configs: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """What the configs say today; the trainers must have been registered.

    Args:
        jobs: Of one table; seeds make no difference.
        configs: Folder of the yaml files.
    """
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for job in jobs:
        runs = found.setdefault(job.trainer, {})
        if _run(job) not in runs:
            runs[_run(job)] = _held(config_of(job, configs), whole=job.trainer.startswith("NPT_"))
    for trainer, runs in found.items():
        first, *others = runs.values()
        shared = {
            key: value
            for key, value in first.items()
            if all(key in other and other[key] == value for other in others)
        }
        own = {
            name: {k: v for k, v in run.items() if k not in shared} for name, run in runs.items()
        }
        found[trainer] = {_COMMON: shared, **own}
    return found


def config_of(job: Job, configs: Path) -> dict[str, Any]:
    """The whole nested config of a job's training, as the files say it today."""
    return config_as_dict(build_cfg(job.steps()[0].request(configs)))


def _held(config: dict[str, Any], whole: bool) -> dict[str, Any]:
    """Every key that can change numbers, but the seed.

    Our own keys at their defaults change nothing of a published method and are left out; of our
    own methods (``whole``) the defaults are part of the preset.
    """
    flat = flatten(config)
    left_out = {key.name for key in (*KEYS, *DASSL_KEYS) if not key.numbers} | {"SEED"}
    defaults = {key.name: key.default for key in KEYS}
    return {
        key: value
        for key, value in flat.items()
        if key not in left_out and (whole or key not in defaults or defaults[key] != value)
    }


def drift(presets: Presets, job: Job, config: Mapping[str, Any], trains: bool = True) -> list[str]:
    """``"KEY: a -> b"`` for every key in which a config is not the preset.

    Args:
        presets: Of the table.
        job: Whose run it is.
        config: The whole nested config of the run: a key that is absent is not compared.
        trains: Whether it is the run that trains; of others the data's keys are their own.
    """
    if not config:
        return ["the config is not recorded"]
    of_trainer = presets[job.trainer]
    preset = {**of_trainer[_COMMON], **of_trainer.get(_run(job), {})}
    lines = config_difference(preset, dict(config))
    if not trains:
        lines = [line for line in lines if not line.startswith("DATASET.")]
    return [_without_folders(line) for line in lines]


def _run(job: Job) -> str:
    return f"{job.dataset} tau {job.ratio:g}"


def _without_folders(line: str) -> str:
    """The line fit to be shared: of a path its last part is enough."""
    return " ".join(PurePath(w).name if w.startswith(("/", "~")) else w for w in line.split(" "))
