"""Several runs at a time in one process, each in its own folder."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from tolerance import gap

from npt_plugin.errors import UserError
from npt_plugin.runs.layout import CONFIG, RESULTS
from npt_plugin.runs.record import read_record
from npt_plugin.runs.settings import Request
from npt_plugin.sweep.run import perform
from npt_plugin.sweep.together import perform_together
from npt_plugin.system.locks import LOCK
from npt_plugin.system.safe_checkpoints import read_checkpoint

RUNS = [("CoOp", 1), ("CoOp", 2), ("NPT_CoOp", 1)]


@pytest.fixture
def request_of(pets_root, tree, tmp_path, monkeypatch):
    """``request_of("a", "CoOp", 1, "KEY", "value")``: on the miniature pets."""
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # Dassl's logger replaces it

    def make(folder, trainer, seed, *options):
        return Request(
            trainer=trainer,
            dataset_config_file=str(tree / "datasets" / "pets.yaml"),
            config_file=str(tree / "trainers" / trainer / "small.yaml"),
            root=str(pets_root),
            output_dir=str(tmp_path / folder / f"{trainer}_{seed}"),
            seed=seed,
            opts=["DATASET.NUM_SHOTS", "8", "DATALOADER.TRAIN_X.BATCH_SIZE", "8", *options],
        )

    return make


def context(folder, epoch=2):
    file = folder / "prompt_learner" / f"model.pth.tar-{epoch}"
    return read_checkpoint(file)["state_dict"]["ctx"]


@pytest.mark.numerics
def test_runs_in_one_pass_are_the_runs_alone(request_of, tmp_path, capsys):
    outcomes = perform_together([request_of("a", *run) for run in RUNS])
    assert outcomes == [None] * 3
    capsys.readouterr()
    for trainer, seed in RUNS:
        perform(request_of("b", trainer, seed))
        mine, theirs = (tmp_path / at / f"{trainer}_{seed}" for at in ("a", "b"))
        assert gap(context(mine), context(theirs)) <= 1e-10
        records = [read_record(folder / RESULTS) for folder in (mine, theirs)]
        assert [r.stacked for r in records] == [3, None]
        assert records[0].metrics["accuracy"] == records[1].metrics["accuracy"]
        assert records[0].per_class == records[1].per_class and records[0].status == "completed"
        log = (mine / "log.txt").read_text()
        assert log.count("epoch [2/2] batch [6/6]") == 1 and log.count("=> result") == 1
        assert f"* accuracy: {records[0].metrics['accuracy']:.1f}%" in log
        assert (mine / CONFIG).exists() and not (mine / LOCK).exists()
    assert sys.stdout.write("") == 0  # the console is there again


def test_a_mistake_in_one_run_is_its_own(request_of, tmp_path):
    lives = [request_of("a", *RUNS[0]), request_of("a", "CoOp", 2, "OPTIM.LRR", "1")]
    lives += [request_of("a", "NPT_CoOp", 1, "OPTIM.LR", "1e30"), request_of("a", "CoOp", -1)]
    first, second, third, fourth = perform_together(lives)
    assert first is None and isinstance(second, UserError) and "OPTIM.LRR" in str(second)
    assert not (tmp_path / "a" / "CoOp_2").exists()
    assert isinstance(third, FloatingPointError) and "SEED is below 0" in str(fourth)
    record = read_record(tmp_path / "a" / "NPT_CoOp_1" / RESULTS)
    assert record.status == "failed" and "is nan" in record.reason
    assert read_record(tmp_path / "a" / "CoOp_1" / RESULTS).status == "completed"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_group_that_was_ended_goes_on_bit_for_bit(request_of, tmp_path, number):
    def run(folder, number):
        requests = [request_of(folder, *run, "OPTIM.MAX_EPOCH", "4") for run in RUNS]
        (tmp_path / "requests.json").write_text(json.dumps([asdict(r) for r in requests]))
        script = Path(__file__).parents[1] / "support" / "dying_group.py"
        words = [sys.executable, str(script), str(tmp_path / "requests.json"), str(int(number))]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(part for part in sys.path if part)}
        return subprocess.run(words, capture_output=True, env=env).returncode

    assert run("whole", 0) == 0
    assert run("cut", number) in ({-9} if number == signal.SIGKILL else {1, 143, -15})
    states = {read_record(tmp_path / "cut" / f"{t}_{s}" / RESULTS).status for t, s in RUNS}
    assert states == ({"started"} if number == signal.SIGKILL else {"failed"})
    assert run("cut", 0) == 0
    for trainer, seed in RUNS:
        cut, whole = (tmp_path / at / f"{trainer}_{seed}" for at in ("cut", "whole"))
        assert torch.equal(context(cut, 4), context(whole, 4))
        records = [read_record(folder / RESULTS) for folder in (cut, whole)]
        assert records[0].history == records[1].history
        assert records[0].metrics == records[1].metrics
