"""ImageNet-1k: 1,000 classes; its validation set is the test set, as everywhere."""

from __future__ import annotations

import os

from npt_plugin.datasets.base import FewShotDataset
from npt_plugin.datasets.scanning import class_folders, folder_records
from npt_plugin.datasets.source import Record, Source
from npt_plugin.datasets.split_reader import annotation_lines
from npt_plugin.errors import UserError


class ImageNet(FewShotDataset):
    """``imagenet/{images/train/<wnid>, images/val/<wnid>, classnames.txt}``.

    Labels follow the sorted folder names. A ``preprocessed.pkl`` of a host is not opened.
    Source: Russakovsky et al., IJCV 2015.
    """

    dataset_dir = "imagenet"
    image_dir = "images"
    required = ("images/train", "images/val", "classnames.txt")

    def read(self) -> Source:
        """List all images, class folder by class folder."""
        name = self.registry_name()
        names = read_classnames(name, os.path.join(self.dataset_dir, "classnames.txt"))
        folders = class_folders(os.path.join(self.image_root, "train"))
        strangers = set(class_folders(os.path.join(self.image_root, "val"))) - set(folders)
        if strangers:
            raise UserError(
                f"{name}: images/val holds the folder '{min(strangers)}', which images/train does "
                "not; both need the same class folders."
            )
        classnames = [name_of(name, names, folder) for folder in folders]
        test = self.scan("val", folders, classnames)
        train = self.scan("train", folders, classnames)
        return Source(name, self.image_root, classnames, train, test, test, val_is_test=True)

    def scan(self, part: str, folders: list[str], classnames: list[str]) -> list[Record]:
        """Images of ``images/<part>``, class after class."""
        records: list[Record] = []
        for label, (folder, classname) in enumerate(zip(folders, classnames, strict=True)):
            records += folder_records(self.image_root, f"{part}/{folder}", label, classname)
        return records


def read_classnames(name: str, path: str) -> dict[str, str]:
    """Lines ``<folder> <name, may hold spaces>``, in file order."""
    lines = annotation_lines(name, path)
    return {folder: words for folder, _, words in (line.partition(" ") for line in lines)}


def name_of(name: str, names: dict[str, str], folder: str) -> str:
    """Class name of a folder.

    Raises:
        UserError: ``classnames.txt`` does not list the folder.
    """
    if folder not in names:
        raise UserError(f"{name}: classnames.txt does not list the folder '{folder}'.")
    return names[folder]
