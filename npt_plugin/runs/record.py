"""The record of a run, ``results.json``: what was run, on what, and what came out."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import sys
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from yacs.config import CfgNode

from npt_plugin import __version__
from npt_plugin.config import REMOVED
from npt_plugin.engine.framework import BACKEND
from npt_plugin.errors import UserError
from npt_plugin.runs.record_schema import SCHEMA, validate
from npt_plugin.system.files import write_json

__all__ = [
    "RESULTS",
    "SCHEMA",
    "config_as_dict",
    "config_difference",
    "config_hash",
    "flatten",
    "is_completed",
    "read_record",
    "validate",
    "versions",
    "write_record",
]

RESULTS = "results.json"
"""File name in a run's output folder."""

_PLACES = (
    "OUTPUT_DIR",
    "RESUME",
    "VERBOSE",
    "USE_CUDA",
    "DATASET.ROOT",
    "DATALOADER.NUM_WORKERS",
    "TEST.FEATURE_CACHE",
    "TEST.SAVE_PREDICTIONS",
    "TEST.NC_PER_EPOCH",
)
"""Keys that say where or how fast a run goes or what it keeps, not what it computes."""


def config_as_dict(cfg: CfgNode) -> dict[str, Any]:
    """A config as nested plain dicts, lists and scalars."""
    if isinstance(cfg, CfgNode):
        return {key: config_as_dict(value) for key, value in cfg.items()}
    return list(cfg) if isinstance(cfg, (tuple, list)) else cfg


def flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """``{"A": {"B": 1}}`` as ``{"A.B": 1}``."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def config_difference(
    old: dict[str, Any], new: dict[str, Any], only_shared: bool = False
) -> list[str]:
    """``"KEY: old -> new"`` for every key that matters and differs.

    Args:
        old: Nested config of the earlier run.
        new: Nested config of this run.
        only_shared: Leave out keys that one of the two does not have.
    """
    before, after = flatten(old), flatten(new)
    keys = {*before} & {*after} if only_shared else {*before, *after}
    keys = [k for k in sorted(keys) if k not in _PLACES and k not in REMOVED]
    missing = "(absent)"
    return [
        f"{k}: {before.get(k, missing)} -> {after.get(k, missing)}"
        for k in keys
        if before.get(k, missing) != after.get(k, missing)
    ]


def config_hash(cfg: CfgNode) -> str:
    """12 hex digits over every key that matters for the numbers."""
    flat = {k: v for k, v in flatten(config_as_dict(cfg)).items() if k not in _PLACES}
    return hashlib.sha256(json.dumps(flat, sort_keys=True).encode()).hexdigest()[:12]


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Versions of everything numbers may depend on."""
    found = {"npt_plugin": __version__, "framework": BACKEND, "python": platform.python_version()}
    for name in ("dassl", "torch", "torchvision", "clip-anytorch", "numpy", "pillow"):
        if name == "dassl" and name != BACKEND:
            continue  # minidassl has the version of the package it comes with
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "absent"
    found["git"] = _git_commit()
    found["device"] = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    return found


def _git_commit() -> str:
    """Commit of the checkout, ``-dirty`` where tracked files were changed since."""
    folder = Path(__file__).resolve().parents[2]
    if not (folder / ".git").exists():
        return "none"
    call = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(call, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done.stdout.strip()


def write_record(directory: str | Path, record: dict[str, Any]) -> Path:
    """Write ``results.json`` atomically; returns its path.

    Raises:
        ValueError: If the record breaks the schema.
    """
    path = Path(directory) / RESULTS
    record = {"schema": SCHEMA, **record}
    problems = validate(record)
    if problems:
        raise ValueError(f"not a record of schema {SCHEMA}: {'; '.join(problems)}")
    write_json(path, record)
    return path


def read_record(path: str | Path) -> dict[str, Any]:
    """Read and check one ``results.json``.

    Raises:
        UserError: If the file is not JSON, or not a record of this schema.
    """
    path = Path(path)
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read as a results file ({error}).") from None
    problems = validate(record)
    if problems:
        raise UserError(f"{path} is not a results file of this version: {problems[0]}.")
    return record


def is_completed(folder: str | Path) -> bool:
    """Whether a run folder holds the record of a completed run."""
    path = Path(folder) / RESULTS
    try:
        return path.is_file() and read_record(path).get("status") == "completed"
    except UserError:
        return False


if __name__ == "__main__":  # for the shell scripts: exit 0 if the run in this folder has completed
    sys.exit(0 if is_completed(sys.argv[1]) else 1)
