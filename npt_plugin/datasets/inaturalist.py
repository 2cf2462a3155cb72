"""iNaturalist 2018: 8,142 species, 437,513 training images, 1,000 to 2 per class."""

from __future__ import annotations

import os

from npt_plugin.datasets.list_format import Row
from npt_plugin.datasets.longtail_lists import LongTailLists
from npt_plugin.datasets.split import read_json
from npt_plugin.errors import UserError


class INaturalist2018(LongTailLists):
    """``inaturalist2018/{train_val2018, categories.json, iNaturalist18_{train,val}.txt}``.

    Where a list is absent, ``train2018.json`` / ``val2018.json`` of the competition serve instead.
    The validation images are the test set, as in the literature. Labels are category ids, names
    those of ``categories.json``. Source: Van Horn et al., CVPR 2018.
    """

    dataset_dir = "inaturalist2018"
    lists = ("iNaturalist18_train.txt", "", "iNaturalist18_val.txt")
    required = ("categories.json",)

    def rows(self, file: str) -> list[Row]:
        """Rows of the list file, or of the competition's JSON where the list is absent."""
        if not file or os.path.exists(os.path.join(self.dataset_dir, file)):
            return super().rows(file)
        part = "train" if "train" in file else "val"
        path = os.path.join(self.dataset_dir, f"{part}2018.json")
        if not os.path.exists(path):
            raise UserError(f"{self.registry_name()}: neither '{file}' nor '{path}' exists.")
        content = read_json(path)
        files = {image["id"]: image["file_name"] for image in content["images"]}
        return [Row(files[a["image_id"]], str(a["category_id"])) for a in content["annotations"]]

    def class_names(self, rows: list[Row], numbers: dict[str, int]) -> list[str]:
        """Species names by category id."""
        categories = read_json(os.path.join(self.dataset_dir, "categories.json"))
        names = {int(entry["id"]): entry["name"] for entry in categories}
        missing = sorted(set(range(len(names))) - set(names))
        if missing:
            raise UserError(f"{self.registry_name()}: categories.json has no id {missing[0]}.")
        return [names[label] for label in range(len(names))]
