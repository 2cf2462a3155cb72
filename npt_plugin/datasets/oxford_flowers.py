"""Flowers 102: flowers common in the United Kingdom."""

from __future__ import annotations

import os

from npt_plugin.datasets.fewshot import seeded_random
from npt_plugin.datasets.matlab import read_mat
from npt_plugin.datasets.source import Record
from npt_plugin.datasets.split import read_json, split_three
from npt_plugin.datasets.split_reader import Parts, SplitDataset
from npt_plugin.errors import UserError


class OxfordFlowers(SplitDataset):
    """``oxford_flowers/{jpg, imagelabels.mat, cat_to_name.json, split_zhou_OxfordFlowers.json}``.

    Source: Nilsback and Zisserman, ICVGIP 2008.
    """

    dataset_dir = "oxford_flowers"
    image_dir = "jpg"
    required = ("jpg",)

    def draw_split(self) -> Parts:
        """Half train, a fifth val, the rest test of each class, in order of first appearance."""
        labels = os.path.join(self.dataset_dir, "imagelabels.mat")
        names_file = os.path.join(self.dataset_dir, "cat_to_name.json")
        if not os.path.exists(names_file):
            raise UserError(f"{self.registry_name()}: '{names_file}' (class names) is missing.")
        names = read_json(names_file)
        classes: dict[int, list[Record]] = {}
        for number, label in enumerate(read_mat(self.registry_name(), labels)["labels"][0], 1):
            record = Record(f"image_{number:05d}.jpg", int(label) - 1, names[str(int(label))])
            classes.setdefault(record.label, []).append(record)
        return split_three(list(classes.values()), seeded_random(self.seed))
