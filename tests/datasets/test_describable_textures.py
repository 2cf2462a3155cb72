from __future__ import annotations

from pathlib import Path

from reader_checks import SplitFileChecks, read, sizes


class TestDescribableTextures(SplitFileChecks):
    name = "DescribableTextures"
    names = ["banded", "chequered", "crosshatched", "polka-dotted", "zigzagged"]

    def test_each_class_is_divided_by_half_a_fifth_and_the_rest(self, root: Path) -> None:
        data = read(self.name, root)
        assert sizes(data.train_x) == [20, 18, 25, 22, 10]
        assert sizes(data.val) == [8, 7, 10, 9, 4]
        assert sizes(data.test) == [12, 11, 15, 13, 6]
