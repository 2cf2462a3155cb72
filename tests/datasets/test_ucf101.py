from __future__ import annotations

from pathlib import Path

import pytest
from reader_checks import SplitFileChecks, read

from npt_plugin.errors import UserError


class TestUCF101(SplitFileChecks):
    name = "UCF101"
    names = ["Apply_Eye_Makeup", "Biking", "Yo_Yo", "Hand_Stand_Pushups", "Tai_Chi"]

    def test_videos_are_their_middle_frames(self, root: Path) -> None:
        data = read(self.name, root)
        assert all(i.impath.endswith(".jpg") for i in (*data.train_x, *data.val, *data.test))
        assert all(Path(i.impath).parent.name == i.classname for i in data.test)

    def test_an_unknown_action_is_named(self, fresh: Path) -> None:
        with open(fresh / "ucf101/ucfTrainTestlist/testlist01.txt", "a") as file:
            file.write("Juggling/v_Juggling_g01.avi\n")
        with pytest.raises(UserError, match="action 'Juggling', which classInd.txt does not list"):
            read(self.name, fresh)
