from __future__ import annotations

from pathlib import Path

import pytest
from mini_trees import SIZES
from reader_checks import SplitFileChecks, read, sizes

from npt_plugin.errors import UserError


class TestStanfordCars(SplitFileChecks):
    name = "StanfordCars"
    names = [
        "2000 AM General Hummer SUV",
        "2012 Audi R8 Coupe",
        "2012 BMW M3 Coupe",
        "2012 Ram C/V Cargo Van Minivan",
        "1993 Volvo 240 Sedan",
    ]
    images = sum(n // 2 for n in SIZES) + sum(n // 3 for n in SIZES)

    def test_the_two_folders_are_training_and_test(self, root: Path) -> None:
        data = read(self.name, root)
        assert {Path(i.impath).parent.name for i in (*data.train_x, *data.val)} == {"cars_train"}
        assert {Path(i.impath).parent.name for i in data.test} == {"cars_test"}
        assert sizes(data.test) == [n // 3 for n in SIZES]

    def test_a_broken_annotation_file_is_named(self, fresh: Path) -> None:
        (fresh / "stanford_cars/devkit/cars_meta.mat").write_bytes(b"not matlab")
        with pytest.raises(UserError, match="cars_meta.mat' cannot be read"):
            read(self.name, fresh)
