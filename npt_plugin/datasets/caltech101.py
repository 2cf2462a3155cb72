"""Caltech-101: 100 object categories, without the clutter and the duplicate faces."""

from __future__ import annotations

from npt_plugin.datasets.split_reader import Parts, SplitDataset

IGNORED = ("BACKGROUND_Google", "Faces_easy")
RENAMED = {
    "airplanes": "airplane",
    "Faces": "face",
    "Leopards": "leopard",
    "Motorbikes": "motorbike",
}


class Caltech101(SplitDataset):
    """``caltech-101/{101_ObjectCategories/<class>, split_zhou_Caltech101.json}``.

    Source: Fei-Fei, Fergus, Perona, CVPR workshop 2004.
    """

    dataset_dir = "caltech-101"
    image_dir = "101_ObjectCategories"
    required = ("101_ObjectCategories",)

    def draw_split(self) -> Parts:
        """By class folder, two of them left out and four renamed to singular."""
        return self.split_folders(IGNORED, RENAMED)
