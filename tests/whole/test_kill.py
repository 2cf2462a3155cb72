"""SIGKILL at random instants: the run goes on and ends bit for bit as an undisturbed one.

``NPT_KILLS=20`` kills twenty times instead of three.
"""

import json
import os
import random
import time

import pytest
import torch

from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import read_record

KILLS = int(os.environ.get("NPT_KILLS", "3"))
EPOCHS = 30 + 20 * KILLS  # enough that something is left to kill
OPTIONS = (
    "OPTIM.MAX_EPOCH",
    str(EPOCHS),
    "OPTIM.GNM.ENABLED",
    "True",
    "TEST.NC_PER_EPOCH",
    "5",
    "TRAINER.NPT.MI.MOMENTUM",
    "0.5",
    "TRAIN.CHECKPOINT_FREQ",
    "1",
)


def outcome(folder):
    """Everything that must not depend on interruptions."""
    record = read_record(folder / RESULTS)
    file = folder / "prompt_learner" / f"model.pth.tar-{EPOCHS}"
    prompts = torch.load(file, weights_only=True)["state_dict"]
    return prompts, {
        k: getattr(record, k) for k in ("metrics", "per_class", "history", "config_hash")
    }


@pytest.fixture
def start(start_train_py, tmp_path):
    def call(name):
        words = ["--trainer", "NPT_CoOp", "--seed", "1", "--output-dir", str(tmp_path / name)]
        return start_train_py(*words, options=OPTIONS)

    return call


def epochs_done(folder, earlier):
    """Epochs that the newest start has ended; each start writes a log of its own."""
    logs = [log for log in folder.glob("log.txt*") if log.name not in earlier]
    return sum(log.read_text().count("Checkpoint saved") for log in logs)


@pytest.mark.slow
def test_killed_at_random_it_ends_as_undisturbed(start, tmp_path):
    seed = int(os.environ.get("NPT_KILL_SEED", time.time_ns() % 10**6))
    print(f"NPT_KILL_SEED={seed}")
    rng, cut, training, startup = random.Random(seed), tmp_path / "cut", 0, 0.0
    for _ in range(KILLS):
        earlier = {log.name for log in cut.glob("log.txt*")}
        process = start("cut")
        begin = time.monotonic()
        if startup and rng.random() < 0.2:  # while it starts, or reads what there is
            time.sleep(startup * rng.random())
        else:  # in an epoch, or while files are written
            wanted, limit = rng.randint(1, 4), time.monotonic() + 90
            while epochs_done(cut, earlier) < wanted and time.monotonic() < limit:
                assert process.poll() is None, process.communicate()[1][-2000:]
                time.sleep(0.001)
            startup = startup or time.monotonic() - begin
            time.sleep(0.1 * rng.random())
        assert process.poll() is None, "the run ended before the kill: raise EPOCHS"
        process.kill()
        process.communicate()
        training += epochs_done(cut, earlier) > 0
        if (cut / RESULTS).exists():
            assert read_record(cut / RESULTS).status == "started"
    process = start("cut")
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err[-2000:]
    whole = start("whole")
    _, err = whole.communicate(timeout=300)
    assert whole.returncode == 0, err[-2000:]
    (prompts, record), (expected_prompts, expected) = (
        outcome(tmp_path / name) for name in ("cut", "whole")
    )
    assert prompts.keys() == expected_prompts.keys() and prompts
    for name in prompts:
        assert torch.equal(prompts[name], expected_prompts[name]), name
    assert json.dumps(record) == json.dumps(expected)
    assert not list(cut.glob("run.lock"))
    print(f"{KILLS} kills, {training} of them in the midst of training")
