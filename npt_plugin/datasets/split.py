"""The JSON split files of the CoOp family: reading, writing and, where absent, drawing them."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from npt_plugin.datasets.source import Record
from npt_plugin.errors import UserError, excerpt
from npt_plugin.system.files import write_json

SPLITS = ("train", "val", "test")


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Raises:
        UserError: Unreadable, or not JSON (for example cut short).
    """
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except OSError as error:
        raise UserError(f"'{path}' cannot be read ({error.strerror}).") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(
            f"'{path}' is not valid JSON ({error}); delete it and fetch or make it again."
        ) from error


def read_split(path: str | Path) -> tuple[list[Record], list[Record], list[Record]]:
    """Read ``{"train": [[path, label, classname], ...], "val": ..., "test": ...}``.

    Args:
        path: A ``split_zhou_*.json`` or a split of ours.

    Returns:
        Train, val and test records; paths stay relative to the image folder.

    Raises:
        UserError: Not JSON, a missing part, or an entry that is not path, label, name.
    """
    content = read_json(path)
    missing = [name for name in SPLITS if not isinstance(content, dict) or name not in content]
    if missing:
        raise UserError(
            f"'{path}' has no part called {' or '.join(missing)}; a split file has the parts "
            "train, val and test, each a list of [path, label, class name]."
        )
    train, val, test = ([_record(path, name, entry) for entry in content[name]] for name in SPLITS)
    return train, val, test


def _record(path: str | Path, name: str, entry: Any) -> Record:
    try:
        impath, label, classname = entry
        return Record(str(impath), int(label), str(classname))
    except (TypeError, ValueError) as error:
        raise UserError(
            f"'{path}': the entry {excerpt(repr(entry))} in {name} is not [path, label, class "
            "name]."
        ) from error


def write_split(path: str | Path, *parts: Sequence[Record]) -> None:
    """Write train, val and test in the format of :func:`read_split`."""
    write_json(
        path,
        {
            name: [[r.path, r.label, r.classname] for r in part]
            for name, part in zip(SPLITS, parts, strict=True)
        },
    )


def split_trainval(
    trainval: Sequence[Record], rng: random.Random, val_share: float = 0.2
) -> tuple[list[Record], list[Record]]:
    """Divide each class into train and val, as the CoOp family does when no split file exists.

    Per class in order of first appearance the positions are shuffled; the first
    ``round(n * val_share)`` go to val.

    Args:
        trainval: Records in file order.
        rng: Generator seeded with the run seed, advanced in place.
        val_share: Part of each class that becomes validation.

    Raises:
        UserError: A class too small to give one validation image.
    """
    positions: dict[int, list[int]] = {}
    for position, record in enumerate(trainval):
        positions.setdefault(record.label, []).append(position)
    train: list[Record] = []
    val: list[Record] = []
    for label, where in positions.items():
        n_val = round(len(where) * val_share)
        if n_val < 1:
            raise UserError(
                f"Class {label} ('{trainval[where[0]].classname}') has {len(where)} images, too "
                f"few to set {val_share:.0%} aside for validation; add images or give a split file."
            )
        rng.shuffle(where)
        val.extend(trainval[position] for position in where[:n_val])
        train.extend(trainval[position] for position in where[n_val:])
    return train, val


def split_three(
    classes: Sequence[Sequence[Record]],
    rng: random.Random,
    train_share: float = 0.5,
    val_share: float = 0.2,
) -> tuple[list[Record], list[Record], list[Record]]:
    """Divide each class into 50 % train, 20 % val and 30 % test after a shuffle.

    Args:
        classes: Records class after class, in label order (or the order of the source file).
        rng: Generator seeded with the run seed, advanced in place.
        train_share, val_share: Parts of each class; test gets the rest.

    Raises:
        UserError: A class too small to give at least one image to each part.
    """
    parts: tuple[list[Record], list[Record], list[Record]] = ([], [], [])
    for members in classes:
        shuffled = list(members)
        rng.shuffle(shuffled)
        n_train = round(len(shuffled) * train_share)
        n_val = round(len(shuffled) * val_share)
        cuts = (
            shuffled[:n_train],
            shuffled[n_train : n_train + n_val],
            shuffled[n_train + n_val :],
        )
        if not all(cuts):
            name = shuffled[0].classname if shuffled else "?"
            raise UserError(
                f"Class '{name}' has {len(shuffled)} images, too few to split into train, val and "
                "test; add images (at least 4) or give a split file."
            )
        for part, cut in zip(parts, cuts, strict=True):
            part.extend(cut)
    return parts
