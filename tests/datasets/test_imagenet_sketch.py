from __future__ import annotations

from pathlib import Path

from reader_checks import ShiftChecks, read, sizes


class TestImageNetSketch(ShiftChecks):
    name = "ImageNetSketch"
    names = ["tench", "goldfish", "Dalmatian", "chain-link fence", "soccer ball"]

    def test_every_sketch_is_tested_on(self, root: Path) -> None:
        assert sizes(read(self.name, root).test) == [3, 2, 4, 1, 2]
