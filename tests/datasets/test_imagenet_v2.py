from __future__ import annotations

from pathlib import Path

from reader_checks import ShiftChecks, read


class TestImageNetV2(ShiftChecks):
    name = "ImageNetV2"
    names = [f"thing no {i}" for i in range(1000)]

    def test_folders_are_label_numbers_not_sorted_words(self, root: Path) -> None:
        for item in read(self.name, root).test:
            assert Path(item.impath).parent.name == str(item.label)
