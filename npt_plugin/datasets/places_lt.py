"""Places-LT: 365 classes, 62,500 training images, 4,980 to 5 per class."""

from __future__ import annotations

import os

from npt_plugin.datasets.list_format import Row, read_folder_names
from npt_plugin.datasets.longtail_lists import LongTailLists


class PlacesLT(LongTailLists):
    """``places-lt/Places_LT_{train,val,test}.txt`` over the images of ``places365/{train,val}``.

    Class names are the folder names with spaces, unless ``places-lt/classnames.txt`` has lines
    ``<folder> <name words>``. Source: Liu et al., OLTR, CVPR 2019.
    """

    dataset_dir = "places-lt"
    images = "places365"
    lists = ("Places_LT_train.txt", "Places_LT_val.txt", "Places_LT_test.txt")
    required = ("Places_LT_train.txt", "Places_LT_test.txt")

    def class_names(self, rows: list[Row], numbers: dict[str, int]) -> list[str]:
        """Names by scene folder."""
        path = os.path.join(self.dataset_dir, "classnames.txt")
        table = read_folder_names(path) if os.path.exists(path) else None
        return self.by_folder(rows, numbers, table)
