"""Food-101: 101 dishes."""

from __future__ import annotations

from npt_plugin.datasets.split_reader import Parts, SplitDataset


class Food101(SplitDataset):
    """``food-101/{images/<dish>, split_zhou_Food101.json}``.

    Source: Bossard, Guillaumin, Van Gool, ECCV 2014.
    """

    dataset_dir = "food-101"
    image_dir = "images"
    required = ("images",)

    def draw_split(self) -> Parts:
        """By class folder (the official train/test lists are not used)."""
        return self.split_folders()
