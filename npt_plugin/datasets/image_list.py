"""``DATASET.NAME: List``: your own data from list or CSV files, without Python."""

from __future__ import annotations

import os
from typing import Any

from npt_plugin.datasets.base import FewShotDataset
from npt_plugin.datasets.fewshot import seeded_random
from npt_plugin.datasets.list_format import (
    Row,
    label_numbers,
    read_names,
    read_rows,
    to_records,
    with_slashes,
)
from npt_plugin.datasets.source import Record, Source, check_labels, classnames_of
from npt_plugin.datasets.split import read_split, split_three
from npt_plugin.errors import UserError, excerpt


class List(FewShotDataset):
    """Images named by ``DATASET.{TRAIN_LIST, VAL_LIST, TEST_LIST}``, paths relative to ROOT.

    A list has lines ``<path> <label>``; a CSV has the columns path and label, and optionally split
    and classname. One file without a split column and without a test list is divided per class
    (50/20/30) by ``DATASET.SPLIT_SEED``. ``DATASET.CLASSNAMES_FILE`` names the classes, one per
    line; without it a CSV's classname column or its word labels do, else ``class 0``, ...

    ``DATASET.TRAIN_LIST`` may also be a ``.json`` file as the CoOp family's ``split_zhou_*.json``:
    train, val and test, each a list of ``[path, label, class name]``.
    """

    def read(self) -> Source:
        """List all images; labels are assigned over all files together."""
        self.remarks: list[str] = []
        train_list = self.cfg_dataset.get("TRAIN_LIST", "")
        if train_list.lower().endswith(".json"):
            return self.read_split_file(train_list)
        rows = self.rows()
        every = [row for part in rows.values() for row in part]
        names_file = self.cfg_dataset.get("CLASSNAMES_FILE", "")
        given = read_names(os.path.join(self.root, names_file)) if names_file else None
        numbers = label_numbers(every, given)
        names = given or self.names(every, numbers)
        parts = {part: to_records(some, numbers, names) for part, some in rows.items()}
        if not parts["test"]:
            parts["train"], parts["val"], parts["test"] = self.divide(parts["train"], parts["val"])
        return Source(
            self.registry_name(),
            self.root,
            names,
            parts["train"],
            parts["val"],
            parts["test"],
            remarks=self.remarks,
        )

    def read_split_file(self, file: str) -> Source:
        """Train, val and test with their class names, from one JSON file.

        Raises:
            UserError: The file is not of that form, or another list or name file is given too.
        """
        for key in ("VAL_LIST", "TEST_LIST", "CLASSNAMES_FILE"):
            if self.cfg_dataset.get(key, ""):
                raise UserError(
                    f"DATASET.TRAIN_LIST '{file}' holds train, val, test and class names: leave "
                    f"DATASET.{key} '{self.cfg_dataset[key]}' out."
                )
        name, parts = self.registry_name(), read_split(os.path.join(self.root, file))
        names = classnames_of(name, *parts)
        train, val, test = parts
        if not test:
            train, val, test = self.divide(train, val)
        return Source(name, self.root, names, train, val, test, remarks=self.remarks)

    def rows(self) -> dict[str, list[Row]]:
        """Rows of train, val and test."""
        rows: dict[str, list[Row]] = {"train": [], "val": [], "test": []}
        files: dict[str, Any] = {
            part: self.cfg_dataset.get(f"{part.upper()}_LIST", "") for part in rows
        }
        if not files["train"]:
            raise UserError(
                "DATASET.NAME is List, but DATASET.TRAIN_LIST is empty; name a CSV or list file."
            )
        for part, file in files.items():
            for row in self.file_rows(file) if file else []:
                rows[row.split or part].append(row)
        return rows

    def file_rows(self, file: str) -> list[Row]:
        """Rows of one file; backslashes are read as slashes where that finds the images."""
        rows, changed = with_slashes(read_rows(os.path.join(self.root, file)), self.root)
        if changed:
            self.remarks.append(
                f"List: {changed} of {len(rows)} paths in '{file}' are written with backslashes; "
                "they are read as '/'."
            )
        return rows

    def names(self, rows: list[Row], numbers: dict[str, int]) -> list[str]:
        """Class names when no file gives them."""
        check_labels(self.registry_name(), numbers.values())
        names: dict[int, str] = {}
        for row in rows:
            word = "" if row.label.lstrip("-").isdigit() else row.label
            name = row.classname or word
            known = names.setdefault(numbers[row.label], name)
            if known != name:
                raise UserError(
                    f"Label {excerpt(row.label)} is called both '{excerpt(known)}' and "
                    f"'{excerpt(name)}'."
                )
        return [names[label] or f"class {label}" for label in range(len(names))]

    def divide(self, train: list[Record], val: list[Record]) -> Any:
        """Make a test part where the lists give none: val if there is one, else 30 % by seed."""
        if val:
            self.remarks.append("List: there is no test part; the validation images are tested on.")
            return train, [], val
        classes: dict[int, list[Record]] = {}
        for record in sorted(train):  # a reordered file gives the same split
            classes.setdefault(record.label, []).append(record)
        seed = self.cfg_dataset.get("SPLIT_SEED", 1)
        self.remarks.append(
            "List: there is no test part; each class is divided into 50 % train, 20 % val and 30 % "
            f"test by DATASET.SPLIT_SEED {seed}."
        )
        return split_three([classes[label] for label in sorted(classes)], seeded_random(seed))
