"""The command line of a project's script, from what lies in its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from npt_plugin.hosts.own_words import config_file, own_words

FILES = (
    "CoOp/rn50.yaml",
    "CoOp/vit_b16.yaml",
    "CoOp/vit_b16_ep50.yaml",
    "CoCoOp/vit_b16_c4_ep10.yaml",
    "SPLE/CoOp/vit_b16_ep20.yaml",
    "MaPLe/vit_b16_2ctx_cross_datasets.yaml",
    "MaPLe/vit_b16_c2_ep5_batch4_2ctx_and_more.yaml",
    "ProGrad/rn50.yaml",
    "ProText/dtd.yaml",
    "ProText/oxford_pets.yaml",
    "coprompt.yaml",
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in FILES:
        file = tmp_path / "configs" / "trainers" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    return tmp_path


@pytest.mark.parametrize(
    "trainer, file",
    [
        ("CoOp", "CoOp/vit_b16.yaml"),
        ("CoOp_ATP", "CoOp/vit_b16.yaml"),
        ("CoCoOp", "CoCoOp/vit_b16_c4_ep10.yaml"),
        ("StackSPLE_CoOp", "SPLE/CoOp/vit_b16_ep20.yaml"),
        ("MaPLe", "MaPLe/vit_b16_c2_ep5_batch4_2ctx_and_more.yaml"),
        ("ProGrad", "ProGrad/rn50.yaml"),
        ("ProText", "ProText/oxford_pets.yaml"),
        ("CoPrompt", "coprompt.yaml"),
        ("Other", None),
    ],
)
def test_the_config_closest_by_name(project, trainer, file):
    found = config_file(project, trainer)
    assert found == (file and project / "configs" / "trainers" / file)


def test_only_files_that_are_there_are_named(project, tmp_path):
    words = own_words(project / "train.py", "Other", Path("data"), Path("out"))
    assert words == "--root data --seed 1 --trainer Other --output-dir out".split()
    (project / "configs" / "datasets").mkdir()
    (project / "configs" / "datasets" / "oxford_pets.yaml").write_text("")
    words = own_words(project / "train.py", "CoOp", Path("data"), Path("out"))
    assert words[8:10] == ["--dataset-config-file", "configs/datasets/oxford_pets.yaml"]
    assert words[10:] == ["--config-file", "configs/trainers/CoOp/vit_b16.yaml"]
