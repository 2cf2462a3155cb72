"""The script of a checkout is found, or the choice is the user's."""

from __future__ import annotations

import pytest

from npt_plugin.errors import UserError
from npt_plugin.hosts.checkout import find_script


def touch(*files):
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return files[0]


@pytest.mark.parametrize("place", [".", "Code", "src/main"])
def test_the_script_is_found_where_checkouts_have_it(tmp_path, place):
    script = touch(tmp_path / place / "train.py", tmp_path / "Dassl.pytorch/tools/train.py")
    touch(tmp_path / ".hidden" / "train.py")
    assert find_script(tmp_path) == find_script(script) == script.resolve()


def test_that_of_a_toolbox_is_taken_where_there_is_no_other(tmp_path):
    tools = touch(tmp_path / "tools/train.py")
    assert find_script(tmp_path) == tools.resolve()
    assert find_script(touch(tmp_path / "code/train.py").parents[1]).parent.name == "code"


def test_none_or_several_are_said(tmp_path):
    with pytest.raises(UserError, match="no folder or script .*absent"):
        find_script(tmp_path / "absent")
    with pytest.raises(UserError, match="has no train.py"):
        find_script(tmp_path)
    touch(tmp_path / "a/train.py", tmp_path / "b/train.py")
    with pytest.raises(UserError, match=r"has 2 train.py \(a/train.py, b/train.py\)"):
        find_script(tmp_path)
