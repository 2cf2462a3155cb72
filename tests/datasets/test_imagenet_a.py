from __future__ import annotations

from pathlib import Path

from reader_checks import ShiftChecks, read, sizes


class TestImageNetA(ShiftChecks):
    name = "ImageNetA"
    names = ["goldfish", "Dalmatian", "chain-link fence"]

    def test_labels_are_those_of_the_classes_that_are_there(self, root: Path) -> None:
        data = read(self.name, root)  # three of the five classes of the name file
        assert sizes(data.test) == [3, 2, 4]
        assert {Path(i.impath).parent.parent.name for i in data.test} == {"imagenet-a"}
