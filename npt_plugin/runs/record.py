"""The record of a run, ``results.json``: what was run, on what, and what came out."""

from __future__ import annotations

import json
import types
from dataclasses import MISSING, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from npt_plugin.errors import UserError
from npt_plugin.runs.layout import RESULTS
from npt_plugin.system.files import write_json

SCHEMA = 1
"""Version of the record's layout."""

STATUSES = ("started", "completed", "failed")
"""Written when training or testing begins, when everything is done, and on any other end."""

_COMPLETED = ("metrics", "epochs", "shots", "selection")
"""Fields that the record of a completed run has besides those without a default."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One run, as ``results.json`` holds it; fields that are None are left out there.

    Attributes:
        status: One of ``STATUSES``.
        trainer, dataset: Registry names.
        classes: ``DATASET.SUBSAMPLE_CLASSES``: all, base or new.
        seed: The seed.
        ratio: tau = n_min / n_max.
        config: The whole config, nested.
        config_hash: 12 hex digits over the keys that can change numbers.
        metrics: ``accuracy`` and ``macro_accuracy`` in percent; ``many``, ``medium``, ``few`` in
            percent, or null where a group is empty; ``worst_class``, ``ece``; ``nc``, the
            neural-collapse metrics; of a test on new classes ``open_world``, measures of base and
            new classes together.
        beside: What was tested beside the result (``TEST.ENSEMBLE``, the last epoch of an average),
            by name: its metrics, and ``paired``, the difference of its accuracy from the result's.
        epochs: ``OPTIM.MAX_EPOCH``.
        steps: Optimiser steps taken; None for a run that only tests.
        shots: Images of the largest class.
        selection: ``TEST.FINAL_MODEL``.
        reason: Why a failed run failed.
        backbone: Name or file of the CLIP.
        backbone_file: What its file turned out to be; None for a model with a name.
        profile, order: Of the imbalance.
        precision: What ``PREC`` came to on the device.
        tested_epoch: Epoch of the prompts that were tested; None: the best.
        model_dir: Folder of the run whose prompts were tested, if another.
        averaged: Seeds of the runs whose learned tensors were averaged, the one in ``model_dir``
            first; None: it is one run's.
        working_dir: Where the command was started.
        class_names, class_counts: (K,) names, and training images of each.
        per_class: For each class ``name``, ``train`` (images), ``group`` and ``accuracy``.
        thresholds: ``many_above`` and ``few_below``, images per class.
        trainable_parameters: How many numbers were learned.
        seconds: Of ``train`` and ``test``; of runs that trained together, each one's share.
        stacked: The most runs that passed the text tower together with this one, itself included;
            None: it trained alone.
        peak_memory: In MiB.
        history: Values of each epoch.
        diverged: First epoch whose training loss says that training diverges; None: none does.
        versions: Of packages, framework, processor and device.
        schema: Version of this layout.
    """

    status: str
    trainer: str
    dataset: str
    classes: str
    seed: int
    ratio: float
    config: dict[str, Any]
    config_hash: str
    metrics: dict[str, Any] | None = None
    beside: dict[str, dict[str, Any]] | None = None
    epochs: int | None = None
    steps: int | None = None
    shots: int | None = None
    selection: str | None = None
    reason: str | None = None
    backbone: str | None = None
    backbone_file: str | None = None
    profile: str | None = None
    order: str | None = None
    precision: str | None = None
    tested_epoch: int | None = None
    model_dir: str | None = None
    averaged: list[str] | None = None
    working_dir: str | None = None
    class_names: list[str] | None = None
    class_counts: list[int] | None = None
    per_class: list[dict[str, Any]] | None = None
    thresholds: dict[str, float] | None = None
    trainable_parameters: int | None = None
    seconds: dict[str, float] | None = None
    stacked: int | None = None
    peak_memory: dict[str, float | None] | None = None
    history: list[dict[str, Any]] | None = None
    diverged: int | None = None
    versions: dict[str, str] | None = None
    schema: int = SCHEMA

    def as_json(self) -> dict[str, Any]:
        """What ``results.json`` holds, the schema first."""
        named = {f.name: getattr(self, f.name) for f in fields(self)}
        held = {name: value for name, value in named.items() if value is not None}
        return {"schema": held.pop("schema"), **held}


def problems_of(record: Any) -> list[str]:
    """What is wrong with a record, one sentence each without a full stop; empty if nothing is.

    Args:
        record: What was read from a ``results.json``, of any type.
    """
    if not isinstance(record, dict):
        return [f"it holds a {type(record).__name__}, not an object"]
    if record.get("schema") != SCHEMA:
        return [f"its results schema is {record.get('schema')!r}, this version reads {SCHEMA}"]
    if record.get("status") not in STATUSES:
        return [f"status is {record.get('status')!r}, not one of {', '.join(STATUSES)}"]
    needed = [f.name for f in fields(Record) if f.default is MISSING]
    if record["status"] == "completed":
        needed += _COMPLETED
    problems = [f"{name!r} is missing" for name in needed if record.get(name) is None]
    for name, allowed in _types().items():
        if name in record and not _is(record[name], allowed):
            wanted = " or ".join("null" if t is type(None) else t.__name__ for t in allowed)
            problems.append(f"{name!r} is a {type(record[name]).__name__}, not {wanted}")
    if not problems and record["status"] == "completed":
        problems += _metric_problems(record["metrics"])
    return problems


@lru_cache(maxsize=1)
def _types() -> dict[str, tuple[type, ...]]:
    """The types each field may have in JSON, from the annotations of :class:`Record`."""
    allowed = {}
    for name, hint in get_type_hints(Record).items():
        union = get_origin(hint) in (Union, types.UnionType)
        plain = [get_origin(t) or t for t in (get_args(hint) if union else (hint,))]
        allowed[name] = tuple(plain) + ((int,) if float in plain else ())
    return allowed


def _is(value: Any, allowed: tuple[type, ...]) -> bool:
    if isinstance(value, bool):  # JSON's true is a Python int
        return bool in allowed
    return isinstance(value, allowed) and value == value  # NaN is not


def _metric_problems(metrics: dict[str, Any]) -> list[str]:
    problems = []
    for name in ("accuracy", "macro_accuracy"):
        value: Any = metrics.get(name)
        if not _is(value, (int, float)) or not 0 <= value <= 100:
            problems.append(f"metrics.{name} is {value!r}, not a percentage")
    for name in ("many", "medium", "few"):
        value = metrics.get(name)
        if value is not None and not _is(value, (int, float)):
            problems.append(f"metrics.{name} is {value!r}, not a percentage or null")
    return problems


def write_record(directory: str | Path, record: Record) -> Path:
    """Write ``results.json`` atomically; returns its path.

    Raises:
        ValueError: If the record breaks the schema.
    """
    path = Path(directory) / RESULTS
    problems = problems_of(record.as_json())
    if problems:
        raise ValueError(f"not a record of schema {SCHEMA}: {'; '.join(problems)}")
    # of a run that has only started nothing is lost with the machine
    write_json(path, record.as_json(), sync=record.status != "started")
    return path


def read_record(path: str | Path) -> Record:
    """Read and check one ``results.json``; fields that this version does not know are left out.

    Raises:
        UserError: If the file is not JSON, or not a record of this schema.
    """
    path = Path(path)
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read as a results file ({error}).") from None
    problems = problems_of(held)
    if problems:
        raise UserError(f"{path} is not a results file of this version: {problems[0]}.")
    known = {f.name for f in fields(Record)}
    return Record(**{name: value for name, value in held.items() if name in known})


def is_completed(folder: str | Path) -> bool:
    """Whether a run folder holds the record of a completed run."""
    path = Path(folder) / RESULTS
    try:
        return path.is_file() and read_record(path).status == "completed"
    except UserError:
        return False
