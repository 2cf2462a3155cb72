from __future__ import annotations

from pathlib import Path

import pytest
from reader_checks import SplitFileChecks, read

from npt_plugin.errors import UserError


class TestOxfordFlowers(SplitFileChecks):
    name = "OxfordFlowers"
    names = [
        "pink primrose",
        "hard-leaved pocket orchid",
        "king's protea",
        "canna lily",
        "héllébore",
    ]

    def test_classes_come_in_order_of_first_appearance(self, root: Path) -> None:
        from scipy.io import loadmat

        labels = loadmat(root / "oxford_flowers/imagelabels.mat")["labels"][0] - 1
        data = read(self.name, root)
        for item in data.train_x:
            assert item.label == labels[int(Path(item.impath).stem.removeprefix("image_")) - 1]
        order = list(dict.fromkeys(item.label for item in data.train_x))
        assert order == list(dict.fromkeys(labels.tolist())) and order != sorted(order)

    def test_missing_names_are_named(self, fresh: Path) -> None:
        (fresh / "oxford_flowers/cat_to_name.json").unlink()
        with pytest.raises(UserError, match="cat_to_name.json' .class names. is missing"):
            read(self.name, fresh)
