"""Base of the ImageNet variants that exist for testing only."""

from __future__ import annotations

import os

from npt_plugin.datasets.base import FewShotDataset
from npt_plugin.datasets.imagenet import name_of, read_classnames
from npt_plugin.datasets.scanning import class_folders, folder_records
from npt_plugin.datasets.source import Record, Source


class ImageNetShift(FewShotDataset):
    """One folder per class, named by WordNet id; shots, halves and imbalance do not apply."""

    def read(self) -> Source:
        """All images; train repeats them, since Dassl wants a training set."""
        name = self.registry_name()
        names = read_classnames(name, os.path.join(self.dataset_dir, "classnames.txt"))
        classnames, records = [], []
        for label, (folder, classname) in enumerate(self.classes(names)):
            classnames.append(classname)
            records += folder_records(self.image_root, folder, label, classname)
        test: list[Record] = records
        return Source(name, self.image_root, classnames, test, [], test, test_only=True)

    def classes(self, names: dict[str, str]) -> list[tuple[str, str]]:
        """Folder and class name of each label: the sorted folders."""
        folders = class_folders(self.image_root)
        return [(folder, name_of(self.registry_name(), names, folder)) for folder in folders]
