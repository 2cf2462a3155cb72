from __future__ import annotations

from pathlib import Path

from mini_trees import text
from reader_checks import SplitFileChecks, read, sizes


class TestFood101(SplitFileChecks):
    name = "Food101"
    names = ["apple_pie", "beef_carpaccio", "crème brûlée", "tacos", "waffles"]

    def test_the_official_lists_are_not_used(self, fresh: Path) -> None:
        text(fresh / "food-101/meta/train.txt", ["apple_pie/image_0000"])
        assert sizes(read(self.name, fresh).train_x) == [20, 18, 25, 22, 10]
