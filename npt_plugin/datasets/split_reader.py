"""Readers whose splits are fixed in a ``split_zhou_<Name>.json`` file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from npt_plugin.datasets.base import FewShotDataset
from npt_plugin.datasets.fewshot import seeded_random
from npt_plugin.datasets.scanning import class_folders, folder_records
from npt_plugin.datasets.source import Record, Source, classnames_of
from npt_plugin.datasets.split import read_split, split_three, split_trainval, write_split
from npt_plugin.errors import UserError

Parts = tuple[list[Record], list[Record], list[Record]]


class SplitDataset(FewShotDataset):
    """Read the split file; where it is absent, draw the split from the original data and save it.

    The drawn split is the one the CoOp family draws for the same seed.
    """

    def split_path(self) -> str:
        """Path of the split file."""
        return os.path.join(self.dataset_dir, f"split_zhou_{self.registry_name()}.json")

    def read(self) -> Source:
        """Records from the split file, drawn first if need be."""
        path, name = self.split_path(), self.registry_name()
        if os.path.exists(path):
            parts = read_split(path)
        else:
            parts = self.draw_split()
            try:
                write_split(path, *parts)
                print(f"{name}: no split file was found; drew one and saved it to {path}")
            except UserError as error:  # read-only data: the same seed draws the same split
                print(f"{name}: no split file was found; drew one for this run only ({error})")
        return Source(name, self.image_root, classnames_of(name, *parts), *parts)

    def draw_split(self) -> Parts:
        """Make train, val and test from the data as distributed."""
        raise NotImplementedError

    def split_official(self, trainval: list[Record], test: list[Record]) -> Parts:
        """Official test set; a fifth of each class of the rest becomes validation."""
        train, val = split_trainval(trainval, seeded_random(self.seed))
        return train, val, test

    def split_folders(
        self, ignored: Sequence[str] = (), renamed: Mapping[str, str] | None = None
    ) -> Parts:
        """Half train, a fifth val, the rest test of each class folder."""
        renamed = renamed or {}
        folders = class_folders(self.image_root, ignored)
        classes = [
            folder_records(self.image_root, folder, label, renamed.get(folder, folder))
            for label, folder in enumerate(folders)
        ]
        return split_three(classes, seeded_random(self.seed))

    def lines(self, relative: str) -> list[str]:
        """Stripped lines of an annotation file under the dataset folder, blank ones left out.

        Raises:
            UserError: The file is absent.
        """
        return annotation_lines(self.registry_name(), os.path.join(self.dataset_dir, relative))


def annotation_lines(name: str, path: str) -> list[str]:
    """Stripped, non-blank lines of a text file.

    Raises:
        UserError: The file is absent.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return [line.strip() for line in file if line.strip()]
    except OSError as error:
        raise UserError(
            f"{name}: '{path}' is missing; fetch the split file or this annotation file "
            f"(`npt data status --root ROOT` shows what is expected)."
        ) from error
