from __future__ import annotations

from pathlib import Path

import pytest
from reader_checks import SplitFileChecks, read

from npt_plugin.datasets.sun397 import scene_name
from npt_plugin.errors import UserError


class TestSUN397(SplitFileChecks):
    name = "SUN397"
    names = ["abbey", "indoor apse", "outdoor church", "tree_house", "bottle_storage wine_cellar"]

    def test_a_folder_that_is_no_class_is_named(self, fresh: Path) -> None:
        with open(fresh / "sun397/Testing_01.txt", "a") as file:
            file.write("/z/zoo/sun_0001.jpg\n")
        with pytest.raises(UserError, match="'/z/zoo/sun_0001.jpg', whose folder is not in ClassN"):
            read(self.name, fresh)


def test_qualifiers_come_first() -> None:
    assert scene_name("a/abbey") == "abbey"
    assert scene_name("c/church/indoor") == "indoor church"
