"""The record of which images a run has chosen: JSON with relative paths, kept with the run."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from npt_plugin.datasets.selection import Selection, SelectionSpec
from npt_plugin.datasets.source import Source
from npt_plugin.datasets.split import read_json
from npt_plugin.errors import UserError

FORMAT = 1
CHOICE_FILE = "selection.json"
"""File name in a run's output folder."""


def source_hash(source: Source) -> str:
    """SHA-256 over every record and class name, in order: any change of the split changes it.

    Paths are relative, so moving the data does not.
    """
    digest = hashlib.sha256(json.dumps(source.classnames).encode())
    for part in (source.train, source.val, source.test):
        digest.update(b"\0part")
        for record in part:
            digest.update(f"{record.path}\0{record.label}\0{record.classname}\n".encode())
    return digest.hexdigest()


def choice_record(source: Source, spec: SelectionSpec, chosen: Selection) -> dict[str, Any]:
    """Describe which images a run has chosen, and everything the choice depends on.

    Args:
        source: All records of the dataset.
        spec: What the run asks for.
        chosen: What came of it.

    Returns:
        JSON-ready: ``key`` (dataset, hash of its split, shots, seed, class half, imbalance),
        ``classnames``, ``class_counts`` and every chosen train and val item.
    """
    counts = [0] * len(chosen.classnames)
    for record in chosen.train:
        counts[record.label] += 1
    return {
        "format": FORMAT,
        "key": {"dataset": source.name, "source_sha256": source_hash(source), **spec.as_dict()},
        "classnames": chosen.classnames,
        "class_counts": counts,
        "train": [list(record) for record in chosen.train],
        "val": [list(record) for record in chosen.val],
    }


def refuse_other_choice(folder: str | Path, record: dict[str, Any]) -> None:
    """Refuse to go on with other images than those an interrupted run began with.

    Args:
        folder: Folder of the interrupted run; one without a record of the choice passes.
        record: From :func:`choice_record`, of the run that is to go on.

    Raises:
        UserError: The choice differs: the data have changed since, or no seed decides it.
    """
    path = Path(folder) / CHOICE_FILE
    before = read_json(path) if path.is_file() else record
    if any(before.get(part) != record[part] for part in ("key", "train")):
        unseeded = record["key"]["seed"] < 0 and before.get("key") == record["key"]
        raise UserError(
            f"'{path}' says that this run began with other images: "
            + (
                "SEED is -1, so they are drawn anew at each start. Start again in another "
                "--output-dir, with --seed 0 or more if it should be able to go on."
                if unseeded
                else f"the data of {record['key']['dataset']} have changed since. Put them back, "
                "or start again in another --output-dir."
            )
        )
