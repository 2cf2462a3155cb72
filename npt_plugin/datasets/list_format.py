"""List files: ``<path> <label>`` lines, as the long-tailed benchmarks use, or CSV with a header."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from npt_plugin.datasets.source import Record
from npt_plugin.errors import UserError, excerpt

SPLIT_WORDS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
PATH_COLUMNS = ("path", "impath", "image", "file", "filename")


@dataclass
class Row:
    """One line of a list: path, label as written, and what a CSV may add."""

    path: str
    label: str
    split: str = ""
    classname: str = ""


def read_rows(path: str) -> list[Row]:
    """Rows of a list or CSV file (CSV if its name ends in ``.csv``).

    Args:
        path: The file, UTF-8.

    Raises:
        UserError: Absent, not text, no rows, or a line that cannot be understood (with its number).
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = _csv_rows(path, file) if path.lower().endswith(".csv") else _lines(path, file)
    except UnicodeDecodeError as error:
        raise UserError(f"'{path}' is not UTF-8 text; save it as UTF-8.") from error
    except csv.Error as error:
        raise UserError(f"'{path}' is no CSV file ({error}).") from error
    except OSError as error:
        raise UserError(f"The list file '{path}' cannot be read ({error.strerror}).") from error
    if not rows:
        raise UserError(f"The list file '{path}' has no entry.")
    return rows


def _lines(path: str, file: Iterable[str]) -> list[Row]:
    rows = []
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            impath, label = line.rstrip().rsplit(None, 1)  # the path itself may hold spaces
            int(label)
        except ValueError:
            raise UserError(
                f"'{path}', line {number}: '{excerpt(line)}' is not '<path> <integer label>'."
            ) from None
        rows.append(Row(impath.strip(), label))
    return rows


def _csv_rows(path: str, file: Iterable[str]) -> list[Row]:
    reader = csv.DictReader(file)
    columns = {(name or "").strip().lower(): name for name in reader.fieldnames or []}
    where = next((columns[name] for name in PATH_COLUMNS if name in columns), None)
    if where is None or "label" not in columns:
        raise UserError(
            f"'{path}' needs a header with the columns path and label (and optionally split and "
            f"classname); it has {excerpt(', '.join(columns)) or 'none'}."
        )
    rows = []
    for number, entry in enumerate(reader, 2):
        impath, label = entry[where], entry[columns["label"]]
        if not (impath and label):
            raise UserError(f"'{path}', line {number}: path or label is empty.")
        split = (entry.get(columns.get("split", ""), "") or "").strip().lower()
        if split and split not in SPLIT_WORDS:
            raise UserError(
                f"'{path}', line {number}: split '{excerpt(split)}' is not train, val or test."
            )
        name = (entry.get(columns.get("classname", ""), "") or "").strip()
        rows.append(Row(impath.strip(), label.strip(), SPLIT_WORDS.get(split, ""), name))
    return rows


def with_slashes(rows: Sequence[Row], root: str) -> tuple[list[Row], int]:
    """Replace backslashes in paths that were written on Windows.

    Only a path that names no file as it stands, but does with ``/`` for each backslash, is changed.

    Args:
        rows: Of a list or CSV file.
        root: Folder that the paths are relative to.

    Returns:
        All rows in order, and how many were changed.
    """
    read, changed = [], 0
    for row in rows:
        path = row.path.replace("\\", "/")
        if path != row.path and not os.path.isfile(os.path.join(root, row.path)):
            if os.path.isfile(os.path.join(root, path)):
                row, changed = replace(row, path=path), changed + 1
        read.append(row)
    return read, changed


def label_numbers(rows: Sequence[Row], names: Sequence[str] | None = None) -> dict[str, int]:
    """Map each label as it is written to its class index.

    Integers stand for themselves. Words are looked up in ``names`` if given, else numbered in
    alphabetical order.

    Raises:
        UserError: Integers and words mixed, or a word that ``names`` does not list.
    """
    written = sorted({row.label for row in rows})
    numeric = [label for label in written if label.lstrip("-").isdigit()]
    if len(numeric) == len(written):
        return {label: int(label) for label in written}
    if numeric:
        raise UserError(
            f"Labels mix integers ('{excerpt(numeric[0])}') and words "
            f"('{excerpt(next(w for w in written if w not in numeric))}'); use one kind."
        )
    if not names:
        return {label: index for index, label in enumerate(written)}
    places = {name: index for index, name in enumerate(names)}
    unknown = [label for label in written if label not in places]
    if unknown:
        raise UserError(f"Label '{excerpt(unknown[0])}' is not in the class-name file.")
    return {label: places[label] for label in written}


def read_names(path: str) -> list[str]:
    """One class name per line, in label order.

    Raises:
        UserError: Absent, or a blank line between names.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            names = [line.strip() for line in file.read().rstrip().split("\n")]
    except OSError as error:
        raise UserError(
            f"The class-name file '{path}' cannot be read ({error.strerror})."
        ) from error
    if not all(names):
        raise UserError(f"'{path}', line {names.index('') + 1}: a class name is empty.")
    return names


def read_folder_names(path: str) -> dict[str, str]:
    """Read lines ``<folder> <name words>``; a line of one word is its own name."""
    pairs = (line.partition(" ") for line in read_names(path))
    return {folder: words.strip() or folder for folder, _, words in pairs}


def to_records(rows: Sequence[Row], numbers: dict[str, int], names: Sequence[str]) -> list[Record]:
    """Make records of rows.

    Args:
        rows: Of a list or CSV file.
        numbers: Label as written to class index.
        names: K class names in label order.

    Raises:
        UserError: A label outside 0..K-1.
    """
    records = []
    for row in rows:
        label = numbers[row.label]
        if not 0 <= label < len(names):
            raise UserError(
                f"Label {excerpt(label)} of '{excerpt(row.path)}' is outside 0..{len(names) - 1} "
                f"({len(names)} class names); labels start at 0, so check for 1-based labels."
            )
        records.append(Record(row.path.replace(os.sep, "/"), label, names[label]))
    return records
