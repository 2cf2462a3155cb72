"""Where a run's curves go."""

import sys
import types

import pytest

from npt_plugin.errors import UserError
from npt_plugin.runs.curves import kinds_of


@pytest.fixture
def wandb(monkeypatch):
    """A stand-in of wandb's calls: what was asked of it."""
    asked = {"points": [], "finished": 0}

    class Run:
        def log(self, values):
            asked["points"].append(values)

        def finish(self):
            asked["finished"] += 1

    def init(**more):
        asked.update(more)
        return Run()

    monkeypatch.setitem(sys.modules, "wandb", types.SimpleNamespace(init=init))
    return asked


def test_wandb_gets_what_tensorboard_gets(make_trainer, wandb, tmp_path):
    trainer = make_trainer("CoOp", "TRAIN.LOG", "tensorboard+wandb", "OPTIM.MAX_EPOCH", "1")
    trainer.train()
    tags = {tag for point in wandb["points"] for tag in point}
    assert {"train/loss", "train/lr", "test/accuracy"} <= tags and wandb["finished"] == 1
    assert wandb["config"]["OPTIM"]["MAX_EPOCH"] == 1 and wandb["name"].startswith("CoOp ")
    assert list((tmp_path / "run").rglob("events.out.tfevents*"))


def test_none_writes_nothing(make_trainer, wandb, tmp_path):
    make_trainer("CoOp", "TRAIN.LOG", "none", "OPTIM.MAX_EPOCH", "1").train()
    assert not list((tmp_path / "run").rglob("events*")) and not wandb["points"]


def test_a_missing_library_and_a_wrong_word_are_one_sentence(make_trainer, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(UserError, match="pip install wandb"):
        make_trainer("CoOp", "TRAIN.LOG", "wandb").train()
    for word in ("wanbd", "none+wandb", ""):
        with pytest.raises(UserError, match=r"TRAIN\.LOG is"):
            kinds_of(word)
