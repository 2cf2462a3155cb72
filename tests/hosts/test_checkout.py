"""The script and the config files of a checkout are found, or the choice is the user's."""

from __future__ import annotations

import pytest

from npt_plugin.errors import UserError
from npt_plugin.hosts.checkout import config_of, data_config_of, find_script


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


def test_none_or_several_are_said(tmp_path):
    with pytest.raises(UserError, match="no folder or script .*absent"):
        find_script(tmp_path / "absent")
    with pytest.raises(UserError, match="has no train.py"):
        find_script(tmp_path)
    touch(tmp_path / "a/train.py", tmp_path / "b/train.py")
    with pytest.raises(UserError, match=r"has 2 train.py \(a/train.py, b/train.py\)"):
        find_script(tmp_path)


def test_config_files_go_by_the_trainers_name(tmp_path):
    folder = tmp_path / "configs" / "trainers"
    touch(folder / "CoOp_ATP/vit_b16.yaml", folder / "CoOp/rn50.yaml", folder / "CoOp/vit_b16.yaml")
    touch(
        folder / "CoOp/vit_b16_ep50.yaml", folder / "nested/DePT/x.yaml", folder / "plain_one.yaml"
    )
    touch(tmp_path / "configs/datasets/oxford_pets.yaml")
    assert config_of(tmp_path, "CoOp") == folder / "CoOp/vit_b16.yaml"
    assert config_of(tmp_path, "CoOp-ATP") == folder / "CoOp_ATP/vit_b16.yaml"
    assert config_of(tmp_path, "DePT") == folder / "nested/DePT/x.yaml"
    assert config_of(tmp_path, "PlainOne") == folder / "plain_one.yaml"
    assert config_of(tmp_path, "Other") is None
    assert data_config_of(tmp_path) == tmp_path / "configs/datasets/oxford_pets.yaml"
    assert data_config_of(folder) is None
