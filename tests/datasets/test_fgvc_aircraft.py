from __future__ import annotations

from pathlib import Path

import pytest
from reader_checks import FewShotChecks, read

from npt_plugin.errors import UserError


class TestFGVCAircraft(FewShotChecks):
    name = "FGVCAircraft"
    names = ["707-320", "A340-300", "Cessna 172", "F/A-18", "Spitfire Mk I"]

    def test_the_official_lists_are_the_parts(self, root: Path) -> None:
        data = read(self.name, root)
        for part, items in (("train", data.train_x), ("val", data.val), ("test", data.test)):
            lines = (root / f"fgvc_aircraft/images_variant_{part}.txt").read_text().splitlines()
            made = [f"{Path(i.impath).stem} {i.classname}" for i in items]
            assert made == lines
        assert not list(root.glob("*/split*.json"))

    def test_an_unknown_variant_is_named(self, fresh: Path) -> None:
        with open(fresh / "fgvc_aircraft/images_variant_val.txt", "a") as file:
            file.write("0000001 Zeppelin NT\n")
        with pytest.raises(UserError, match="'Zeppelin NT', which variants.txt does not list"):
            read(self.name, fresh)
