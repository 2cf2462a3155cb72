"""The few-shot cache: a JSON record of the chosen items, beside the data, never a pickle."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from npt_plugin.datasets.selection import Selection, SelectionSpec, select
from npt_plugin.datasets.source import Record, Source
from npt_plugin.datasets.split import read_json
from npt_plugin.errors import UserError
from npt_plugin.system.files import write_json

FORMAT = 1
PICKLES = (".pkl", ".pickle", ".p")


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


def cache_key(source: Source, spec: SelectionSpec) -> dict[str, Any]:
    """Everything the choice depends on."""
    return {"dataset": source.name, "source_sha256": source_hash(source), **spec.as_dict()}


def cache_path(folder: str | Path, key: dict[str, Any]) -> Path:
    """File of a key: readable parts, then a hash of the whole key."""
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:12]
    return Path(folder) / f"{_stem(key)}_{digest}.json"


def _stem(key: dict[str, Any]) -> str:
    return (
        f"npt_{key['dataset']}_shots{key['shots']}_seed{key['seed']}_{key['subset']}"
        f"_ratio{key['ratio']:g}{key['profile']}-{key['order']}"
    )


def cache_folder(setting: str, dataset_dir: str) -> Path | None:
    """Where choices are recorded.

    Args:
        setting: ``DATASET.FEWSHOT_CACHE``: empty (``split_fewshot`` beside the data), ``off``, or
            a folder.
        dataset_dir: folder of the dataset.

    Returns:
        A folder, or None for off.

    Raises:
        UserError: the setting names a pickle file or another file.
    """
    if setting == "off":
        return None
    if setting.lower().endswith(PICKLES):
        raise UserError(
            f"DATASET.FEWSHOT_CACHE is '{setting}', a pickle: reading one can run any code and its "
            "absolute paths and missing split hash hide changed data; leave the key empty (the "
            "same seed draws the same images) or name a folder."
        )
    if setting and os.path.isfile(setting):
        raise UserError(
            f"DATASET.FEWSHOT_CACHE is '{setting}', a file; name a folder, 'off', or nothing."
        )
    return Path(setting or os.path.join(dataset_dir, "split_fewshot"))


def selection_to_json(key: dict[str, Any], chosen: Selection) -> dict[str, Any]:
    """The record of a choice: its key, class names, counts, and every chosen train and val item."""
    counts = [0] * len(chosen.classnames)
    for record in chosen.train:
        counts[record.label] += 1
    return {
        "format": FORMAT,
        "key": key,
        "classnames": chosen.classnames,
        "class_counts": counts,
        "train": [list(record) for record in chosen.train],
        "val": [list(record) for record in chosen.val],
    }


def cached_select(
    source: Source, spec: SelectionSpec, folder: Path | None
) -> tuple[Selection, dict[str, Any], list[str]]:
    """Select, reusing the recorded choice of the same key or recording a new one.

    The test split is never cached. A file cut short by a killed run is drawn and written again. An
    unseeded run (seed < 0) and a run on the full, balanced set are not cached.

    Args:
        source: all records of a dataset.
        spec: what the run asks for.
        folder: where records live, or None.

    Returns:
        The selection, its record (see :func:`selection_to_json`), and lines worth printing.
    """
    key = cache_key(source, spec)
    chosen = select(source, spec)
    record = selection_to_json(key, chosen)
    drawn = spec.shots >= 1 or spec.imbalance.ratio != 1
    if folder is None or spec.seed < 0 or not drawn or source.test_only:
        return chosen, record, []
    path = cache_path(folder, key)
    known = _load(path, key)
    if known is not None:
        chosen.train = [Record(*entry) for entry in known["train"]]
        if not source.val_is_test:
            chosen.val = [Record(*entry) for entry in known["val"]]
        return chosen, known, [f"Few-shot choice read from {path}"]
    lines = _note_changed_split(path, key)
    if source.val_is_test:
        record["val"] = []  # the whole test split, not a choice
    try:
        write_json(path, record)
        lines.append(f"Few-shot choice recorded in {path}")
    except UserError as error:  # a read-only data folder must not stop a run
        lines.append(f"Few-shot choice not recorded: {error}")
    return chosen, record, lines


def _load(path: Path, key: dict[str, Any]) -> dict[str, Any] | None:
    """The record in ``path`` if it is whole and has this key, else None."""
    if not path.is_file():
        return None
    try:
        content = read_json(path)
        whole = content["format"] == FORMAT and content["key"] == key
        return content if whole and "train" in content and "val" in content else None
    except (UserError, KeyError, TypeError):
        return None


def _note_changed_split(path: Path, key: dict[str, Any]) -> list[str]:
    """One line if the same choice was recorded for another version of the split."""
    others = sorted(path.parent.glob(f"{_stem(key)}_*.json")) if path.parent.is_dir() else []
    if not others:
        return []
    return [
        f"The split of {key['dataset']} has changed since {others[-1].name} was recorded; "
        "drawing again from the present split."
    ]
