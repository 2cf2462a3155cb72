from __future__ import annotations

from pathlib import Path

import pytest
from reader_checks import SplitFileChecks, paths, read

from npt_plugin.errors import UserError


class TestOxfordPets(SplitFileChecks):
    name = "OxfordPets"
    names = ["abyssinian", "american_bulldog", "egyptian_mau", "shiba_inu", "sphynx"]

    def test_the_official_test_list_is_the_test_part(self, root: Path) -> None:
        lines = (root / "oxford_pets/annotations/test.txt").read_text().splitlines()
        stems = [Path(path).stem for path in paths(read(self.name, root).test)]
        assert stems == [line.split()[0] for line in lines]

    def test_a_missing_annotation_file_is_named(self, fresh: Path) -> None:
        (fresh / "oxford_pets/annotations/test.txt").unlink()
        with pytest.raises(UserError, match="test.txt' is missing"):
            read(self.name, fresh)
