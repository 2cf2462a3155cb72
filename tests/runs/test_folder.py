"""A run's folder, opened again."""

import pytest
import torch

from npt_plugin.cli import main as cli
from npt_plugin.predictor import Predictor
from npt_plugin.runs.layout import RESULTS


def test_second_stage_of_a_relative_folder_is_found_from_elsewhere(
    make_trainer, first_stages, tmp_path, monkeypatch
):
    first = first_stages("CoOp")
    monkeypatch.chdir(first.parent)
    run = ("TRAINER.TWO_STAGE.RUN", first.name, "TRAINER.TWO_STAGE.METHOD", "lws")
    make_trainer("TwoStage", *run, output=tmp_path / "second").train()
    monkeypatch.chdir(tmp_path)
    predictor = Predictor.from_run(tmp_path / "second")
    assert predictor.logits(torch.randn(2, 3, 32, 32)).shape == (2, 3)


DAMAGED = {
    "cut short": ('{"schema": 1, "stat', "cannot be read as a results file"),
    "empty": ("", "cannot be read as a results file"),
    "without metrics": ('{"schema": 1, "status": "completed"}', "'trainer' is missing"),
}


@pytest.mark.parametrize("damage", DAMAGED)
@pytest.mark.parametrize("command", ["predict", "eval", "plot", "report", "words", "export"])
def test_a_damaged_record_is_called_damaged(tmp_path, capsys, damage, command):
    text, sentence = DAMAGED[damage]
    (tmp_path / RESULTS).write_text(text)
    words = {"predict": [str(tmp_path), "a.jpg"], "eval": ["--run", str(tmp_path)]}
    assert cli.main([command, *words.get(command, [str(tmp_path)])]) == 2
    error = capsys.readouterr().err
    assert str(tmp_path / RESULTS) in error and sentence in error and error.count("\n") == 1
