"""Describable Textures (DTD): 47 texture words."""

from __future__ import annotations

from npt_plugin.datasets.split_reader import Parts, SplitDataset


class DescribableTextures(SplitDataset):
    """``dtd/{images/<texture>, split_zhou_DescribableTextures.json}``.

    Source: Cimpoi et al., Describing Textures in the Wild, CVPR 2014.
    """

    dataset_dir = "dtd"
    image_dir = "images"
    required = ("images",)

    def draw_split(self) -> Parts:
        """By class folder."""
        return self.split_folders()
