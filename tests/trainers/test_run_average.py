"""The mean of several seeds' prompts: its numbers, what is tested beside it, what is refused."""

import json

import pytest
import torch

from npt_plugin.cli import main as cli
from npt_plugin.errors import UserError
from npt_plugin.predictor import Predictor
from npt_plugin.runs.folder import RunFolder
from npt_plugin.runs.layout import RESULTS, checkpoint_file
from npt_plugin.runs.record import read_record
from npt_plugin.system.safe_checkpoints import read_checkpoint
from npt_plugin.trainers.beside import MEAN
from npt_plugin.trainers.restore import load_model
from npt_plugin.trainers.run_average import mean_state


@pytest.fixture
def seeds(make_trainer, tmp_path):
    """Three runs of CoOp that differ by their seeds."""
    folders = [tmp_path / f"seed{seed}" for seed in (1, 2, 3)]
    for seed, folder in enumerate(folders, 1):
        make_trainer("CoOp", seed=seed, output=folder).train()
    return folders


def context(folder):
    return read_checkpoint(checkpoint_file(folder, "prompt_learner", 2))["state_dict"]["ctx"]


def test_the_mean_is_of_floats_only():
    states = [{"a": torch.tensor([1.0, 2.0]), "b": torch.tensor([3])} for _ in range(2)]
    states[1]["a"] = torch.tensor([2.0, 5.0])
    found = mean_state(states)
    assert found["a"].tolist() == [1.5, 3.5] and found["b"].tolist() == [3]


def test_eval_tests_the_mean_and_each_run_beside_it(seeds, capsys):
    words = ["eval", "--run", str(seeds[0]), "--average", *map(str, seeds[1:])]
    assert cli.main(words) == 0
    record = read_record(seeds[0] / "eval" / "OxfordPets_base_mean_of_3" / RESULTS)
    names = ["seed 1", "seed 2", "seed 3"]
    assert record.averaged == names and list(record.beside) == [*names, MEAN]
    alone = [read_record(folder / RESULTS).metrics for folder in seeds]
    for name, metrics in zip(names, alone, strict=True):
        assert record.beside[name]["ece"] == metrics["ece"]
        assert record.beside[name]["accuracy"] == metrics["accuracy"]
    mean = sum(metrics["accuracy"] for metrics in alone) / 3
    assert record.beside[MEAN]["accuracy"] == pytest.approx(mean)
    gap = record.beside[MEAN]["paired"]["difference"]
    assert gap == pytest.approx(mean - record.metrics["accuracy"])
    assert "* mean of the runs: accuracy" in capsys.readouterr().out


def test_the_model_has_the_mean_context(seeds):
    runs = [RunFolder.open(folder) for folder in seeds]
    model, *_ = load_model(runs[0], average=runs[1:])
    expected = torch.stack([context(folder).double() for folder in seeds]).mean(0).float()
    assert torch.equal(model.prompt_learner.ctx, expected)


def test_predict_classifies_by_the_mean(seeds, images, capsys):
    words = ["predict", str(seeds[0]), str(images[0]), "--json", "--top-k", "1"]
    assert cli.main([*words, "--average", *map(str, seeds[1:])]) == 0
    top = json.loads(capsys.readouterr().out)["top"][0]
    mean = Predictor.from_run(seeds[0], average=seeds[1:]).top_k(images[0], 1)[0][0]
    assert (top["name"], top["p"]) == (mean[0], pytest.approx(mean[1], abs=1e-6))
    assert mean != Predictor.from_run(seeds[0]).top_k(images[0], 1)[0][0]
    with pytest.raises(UserError, match="no temperature of its own"):
        Predictor.from_run(seeds[0], calibrated=True, average=seeds[1:])


def test_runs_that_are_not_alike_are_refused(seeds, make_trainer, tmp_path, capsys):
    assert cli.main(["eval", "--run", str(seeds[0]), "--average", str(seeds[0])]) == 2
    assert "both have seed 1" in capsys.readouterr().err
    make_trainer("CoOp", "OPTIM.LR", "0.2", seed=5, output=tmp_path / "other").train()
    assert cli.main(["eval", "--run", str(seeds[0]), "--average", str(tmp_path / "other")]) == 2
    assert "not of one setting (OPTIM.LR: 0.1 -> 0.2)" in capsys.readouterr().err
    assert not (seeds[0] / "eval" / "OxfordPets_base_mean_of_2" / RESULTS).exists()
