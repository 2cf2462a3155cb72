from __future__ import annotations

from pathlib import Path

from reader_checks import SplitFileChecks, read


class TestCaltech101(SplitFileChecks):
    name = "Caltech101"
    names = ["face", "airplane", "car_side", "yin_yang"]
    images = 40 + 36 + 50 + 44

    def test_clutter_and_the_second_set_of_faces_are_left_out(self, root: Path) -> None:
        data = read(self.name, root)
        folders = {Path(i.impath).parent.name for i in (*data.train_x, *data.val, *data.test)}
        assert folders == {"Faces", "airplanes", "car_side", "yin_yang"}  # upper case sorts first
