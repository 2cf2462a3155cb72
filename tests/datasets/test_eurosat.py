from __future__ import annotations

from pathlib import Path

import pytest
from mini_trees import folders
from reader_checks import SplitFileChecks, read

from npt_plugin.errors import UserError


class TestEuroSAT(SplitFileChecks):
    name = "EuroSAT"
    names = ["Annual Crop Land", "Forest", "Highway or Road", "River", "Sea or Lake"]

    def test_all_ten_folders_have_readable_names(self, tmp_path: Path) -> None:
        names = {
            "AnnualCrop": "Annual Crop Land",
            "Forest": "Forest",
            "HerbaceousVegetation": "Herbaceous Vegetation Land",
            "Highway": "Highway or Road",
            "Industrial": "Industrial Buildings",
            "Pasture": "Pasture Land",
            "PermanentCrop": "Permanent Crop Land",
            "Residential": "Residential Buildings",
            "River": "River",
            "SeaLake": "Sea or Lake",
        }
        folders(tmp_path / "eurosat/2750", list(names), (4,) * 10)
        assert read(self.name, tmp_path).classnames == list(names.values())

    def test_a_split_that_names_a_missing_file(self, fresh: Path) -> None:
        read(self.name, fresh)
        (fresh / "eurosat/2750/River/image_0003.jpg").unlink()
        with pytest.raises(UserError, match="1 of .* images are missing .*River/image_0003.jpg"):
            read(self.name, fresh)

    def test_an_empty_class_folder_leaves_nothing_half_written(self, fresh: Path) -> None:
        (fresh / "eurosat/2750/Zero").mkdir()
        with pytest.raises(UserError, match="Zero' is empty"):
            read(self.name, fresh)
        assert not list(fresh.glob("*/split*.json"))
