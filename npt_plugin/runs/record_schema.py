"""What a ``results.json`` must and may hold."""

from __future__ import annotations

import math
from typing import Any

SCHEMA = 1
"""Version of the record's layout."""

STATUSES = ("started", "completed", "failed")
"""Written when training or testing begins, when everything is done, and on any other end."""

_NUMBER = (int, float)
_EVERY: dict[str, tuple[type, ...]] = {
    "schema": (int,),
    "status": (str,),
    "trainer": (str,),
    "dataset": (str,),
    "classes": (str,),
    "seed": (int,),
    "ratio": _NUMBER,
    "config": (dict,),
    "config_hash": (str,),
}
"""Needed in every record."""

_COMPLETED: dict[str, tuple[type, ...]] = {
    "metrics": (dict,),
    "epochs": (int,),
    "shots": (int,),
    "selection": (str,),
}
"""Needed besides in the record of a completed run."""

_OPTIONAL: dict[str, tuple[type, ...]] = {
    "reason": (str,),
    "backbone": (str,),
    "profile": (str,),
    "order": (str,),
    "steps": (int,),
    "precision": (str,),
    "tested_epoch": (int, type(None)),
    "model_dir": (str,),
    "working_dir": (str,),
    "class_names": (list,),
    "class_counts": (list,),
    "per_class": (list,),
    "thresholds": (dict,),
    "trainable_parameters": (int,),
    "seconds": (dict,),
    "peak_memory": (dict,),
    "history": (list,),
    "versions": (dict,),
}
"""Checked where they are there; further keys are allowed, for later versions."""

_ACCURACIES = ("accuracy", "macro_accuracy")


def validate(record: Any) -> list[str]:
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
    needed = _EVERY | (_COMPLETED if record["status"] == "completed" else {})
    problems = [f"{key!r} is missing" for key in needed if key not in record]
    for key, types in (_EVERY | _COMPLETED | _OPTIONAL).items():
        if key in record and not _is(record[key], types):
            problems.append(f"{key!r} is a {type(record[key]).__name__}, not {_names(types)}")
    if not problems and record["status"] == "completed":
        problems += _metric_problems(record["metrics"])
    return problems


def _is(value: Any, types: tuple[type, ...]) -> bool:
    if isinstance(value, bool):  # JSON's true is a Python int
        return bool in types
    return isinstance(value, types) and not (isinstance(value, float) and math.isnan(value))


def _names(types: tuple[type, ...]) -> str:
    return " or ".join("null" if t is type(None) else t.__name__ for t in types)


def _metric_problems(metrics: dict[str, Any]) -> list[str]:
    problems = []
    for name in _ACCURACIES:
        value = metrics.get(name)
        if not _is(value, _NUMBER) or not 0 <= value <= 100:
            problems.append(f"metrics.{name} is {value!r}, not a percentage")
    for name in ("many", "medium", "few"):
        value = metrics.get(name)
        if value is not None and not _is(value, _NUMBER):
            problems.append(f"metrics.{name} is {value!r}, not a percentage or null")
    return problems
