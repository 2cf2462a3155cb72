"""Stanford Cars: 196 makes, models and years."""

from __future__ import annotations

import os

from npt_plugin.datasets.matlab import read_mat
from npt_plugin.datasets.source import Record
from npt_plugin.datasets.split_reader import Parts, SplitDataset


class StanfordCars(SplitDataset):
    """``stanford_cars/{cars_train, cars_test, devkit, *.mat, split_zhou_StanfordCars.json}``.

    Class names start with the year: ``2012 Tesla Model S Sedan``.
    Source: Krause et al., 3D Object Representations, ICCV workshop 2013.
    """

    dataset_dir = "stanford_cars"

    def draw_split(self) -> Parts:
        """From the two annotation files and the class names of the devkit."""
        return self.split_official(
            self.annotated("cars_train", "devkit/cars_train_annos.mat"),
            self.annotated("cars_test", "cars_test_annos_withlabels.mat"),
        )

    def annotated(self, folder: str, annotations: str) -> list[Record]:
        """Records of one annotation file; its classes count from 1."""
        name = self.registry_name()
        meta = read_mat(name, os.path.join(self.dataset_dir, "devkit/cars_meta.mat"))
        annos = read_mat(name, os.path.join(self.dataset_dir, annotations))
        classnames = [str(entry[0]) for entry in meta["class_names"][0]]
        records = []
        for entry in annos["annotations"][0]:
            label = int(entry["class"][0, 0]) - 1
            model, _, year = classnames[label].rpartition(" ")
            records.append(
                Record(f"{folder}/{entry['fname'][0]}", label, f"{year} {model}".strip())
            )
        return records
