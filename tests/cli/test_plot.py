"""``npt plot``: of one run, and of all below a folder."""

import shutil
import sys
import xml.etree.ElementTree as ElementTree

import pytest

pytest.importorskip("matplotlib")

from npt_plugin.cli import main as cli
from npt_plugin.plots.pictures import RUN_PICTURES


def test_everything_of_a_run_is_drawn(trained_run, tmp_path, capsys):
    run = shutil.copytree(trained_run, tmp_path / "run")
    assert cli.main(["plot", str(run)]) == 0
    assert "left out" not in capsys.readouterr().out
    for name in RUN_PICTURES:
        assert (run / "plots" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert ElementTree.parse(run / "plots" / f"{name}.svg").getroot().tag.endswith("svg")


def test_the_same_run_gives_the_same_file(trained_run, tmp_path):
    words = ["plot", str(trained_run), "--only", "confusion", "--output"]
    for name in ("a", "b"):
        assert cli.main([*words, str(tmp_path / name)]) == 0
    first, second = ((tmp_path / d / "confusion.svg").read_bytes() for d in ("a", "b"))
    assert first == second


def test_an_unknown_picture_and_missing_data_are_one_sentence(trained_run, tmp_path, capsys):
    assert cli.main(["plot", str(trained_run), "--only", "pie"]) == 2
    assert "'pie'" in capsys.readouterr().err
    run = shutil.copytree(trained_run, tmp_path / "run")
    (run / "predictions.safetensors").unlink()
    assert cli.main(["plot", str(run), "--only", "confusion"]) == 2
    assert "SAVE_PREDICTIONS" in capsys.readouterr().err


def test_runs_that_cannot_be_compared_are_not_called_none(trained_run, capsys):
    assert cli.main(["plot", str(trained_run.parent)]) == 2
    assert (
        "no completed base-to-new, few-shot or long-tail runs to compare" in capsys.readouterr().err
    )


def test_without_matplotlib_one_sentence(trained_run, monkeypatch, capsys):
    for name in ("matplotlib.figure", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(sys.modules, name, None)
    assert cli.main(["plot", str(trained_run)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err == "error: Pictures need matplotlib: run `pip install matplotlib`.\n"
