"""ImageNet-LT: 1,000 classes, 115,846 training images, 1,280 to 5 per class."""

from __future__ import annotations

import os

from npt_plugin.datasets.imagenet import read_classnames
from npt_plugin.datasets.list_format import Row
from npt_plugin.datasets.longtail_lists import LongTailLists
from npt_plugin.errors import UserError


class ImageNetLT(LongTailLists):
    """``imagenet-lt/ImageNet_LT_{train,val,test}.txt`` over the images of ``imagenet/images``.

    Class names from ``imagenet/classnames.txt`` (or one beside the lists).
    Source: Liu et al., OLTR, CVPR 2019.
    """

    dataset_dir = "imagenet-lt"
    images = "imagenet/images"
    lists = ("ImageNet_LT_train.txt", "ImageNet_LT_val.txt", "ImageNet_LT_test.txt")
    required = ("ImageNet_LT_train.txt", "ImageNet_LT_test.txt")

    def class_names(self, rows: list[Row], numbers: dict[str, int]) -> list[str]:
        """Names by WordNet folder, so that a label cannot get the name of another class."""
        places = [os.path.join(self.root, d, "classnames.txt") for d in ("imagenet-lt", "imagenet")]
        path = next((place for place in places if os.path.exists(place)), None)
        if path is None:
            raise UserError(f"{self.registry_name()}: '{places[1]}' (class names) is missing.")
        return self.by_folder(rows, numbers, read_classnames(self.registry_name(), path))
