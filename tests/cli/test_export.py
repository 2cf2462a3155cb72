"""``npt export``: what it writes, and what it says it cannot."""

import json

import pytest
from safetensors import safe_open

from npt_plugin.cli import main as cli
from npt_plugin.cli.export import BACKBONE, CLASSIFIER, PROGRAM, standalone_program
from npt_plugin.predictor import Predictor


def test_three_files_are_written_and_named(run, tmp_path, capsys):
    assert cli.main(["export", str(run), "--output", str(tmp_path / "a")]) == 0
    out = capsys.readouterr().out
    names = [CLASSIFIER, PROGRAM, BACKBONE]
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == sorted(names)
    assert all(str(tmp_path / "a" / name) in out for name in names)
    with safe_open(str(tmp_path / "a" / CLASSIFIER), "pt") as file:
        assert file.get_tensor("text_features").shape == (3, 48)
        names = json.loads(file.metadata()["class_names"])
    assert names == ["red_kite", "blue kite", "green kite"]


def test_the_program_names_nothing_of_this_package():
    code = standalone_program()
    assert "npt_plugin" not in code and "def to_rgb" in code
    compile(code, PROGRAM, "exec")


def test_what_cannot_be_exported_says_so(make_trainer, tmp_path, capsys):
    make_trainer("MaPLe", "OPTIM.MAX_EPOCH", "1", output=tmp_path / "maple").train()
    assert cli.main(["export", str(tmp_path / "maple")]) == 2
    assert "image side is learned too" in capsys.readouterr().err
    assert Predictor.from_run(tmp_path / "maple").text.shape[0] == 3


@pytest.mark.parametrize(
    "headed_run, reason",
    [
        ("linear", "its head is linear"),
        ("decoder", "its head is linear"),
        ("named", "its image side is learned too"),
        ("prompted", "its image side is learned too"),
    ],
    indirect=["headed_run"],
)
def test_what_does_not_export_says_why(headed_run, reason, tmp_path, capsys):
    assert cli.main(["export", str(headed_run), "--output", str(tmp_path / "a")]) == 2
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "a").exists()
