"""What the runs of a miniature proof conclude, from trainers that do one thing wrong."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

import pytest
import torch
from reference_trainers import HostCoOp

from npt_plugin.config import extend_cfg
from npt_plugin.engine.framework import get_cfg_default
from npt_plugin.hosts import trial, trial_runs
from npt_plugin.hosts.trial_runs import Runs


class Quick:
    """A trainer whose result is decided by its config."""

    def __init__(self, cfg):
        self.cfg, self.loaded = cfg, ""
        self._models = {"model": torch.nn.Linear(1, 1, bias=False)}

    def train(self):
        node = self.cfg.TRAINER
        changed = node.NAME.startswith("NPT_") and node.NPT.LAMBDA_LC > 0
        torch.nn.init.constant_(self._models["model"].weight, float(changed))

    def load_model(self, directory, epoch):
        self.loaded = directory

    def test(self):
        return 50.0


class OtherAt0(Quick):
    def train(self):
        torch.nn.init.constant_(self._models["model"].weight, len(self.cfg.TRAINER.NAME))


class Deaf(Quick):
    def train(self):
        torch.nn.init.constant_(self._models["model"].weight, 1.0)


class Leaving(Quick):
    def train(self):
        super().train()
        os._exit(0)

    def test(self):
        sys.exit(0)


class Lost(Quick):
    def test(self):
        return float("nan")


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.setattr(trial_runs, "register_base_datasets", lambda: None)  # not for other tests

    def make(build):
        cfg = extend_cfg(get_cfg_default())
        cfg.TRAINER.NAME = "Quick"
        cfg.DATALOADER.TRAIN_X.BATCH_SIZE = 32
        made = Runs(cfg, build, "Quick", tmp_path)
        made.size = 48
        made.plain = made.trained("plain")
        return made

    return make


def answers(runs: Runs) -> list[str]:
    skipped = ("weights_of_0", "terms", "new_classes")
    return [getattr(runs, name)() for name in skipped]


def test_what_holds_is_collected(runs):
    found = runs(Quick)
    assert answers(found) == ["", "", ""]
    assert found.seen == ["weights of 0 are the trainer bit for bit", "new classes evaluated"]


@pytest.mark.parametrize(
    "build, place, said",
    [
        (OtherAt0, 0, "with weights of 0 its run is another: model.weight differs"),
        (Deaf, 1, "with the terms it learned what it learned without"),
        (Lost, 2, "on new classes its accuracy is nan"),
    ],
)
def test_what_does_not_is_said(runs, build, place, said):
    assert answers(runs(build))[place] == said


def test_a_project_that_ends_the_process_goes_on(runs):
    leave = os._exit
    assert answers(runs(Leaving)) == ["", "", ""] and os._exit is leave


def test_a_config_is_made_small_and_the_given_one_stays(runs):
    found = runs(Quick)
    before = found.cfg.clone()
    cfg = found.config("out", True, DATASET__SUBSAMPLE_CLASSES="new")
    assert found.cfg == before and cfg.is_frozen()
    assert (cfg.TRAINER.NAME, cfg.DATASET.SUBSAMPLE_CLASSES) == ("NPT_Quick", "new")
    assert cfg.TRAINER.COOP.PREC == "fp32" and before.TRAINER.COOP.PREC == "fp16"
    assert cfg.DATALOADER.TRAIN_X.BATCH_SIZE == 2 and cfg.MODEL.BACKBONE.NAME == "ViT-B/16"


def test_a_gradient_that_is_none_of_the_ways_is_said(runs, monkeypatch):
    registry = SimpleNamespace(get={"Quick": HostCoOp}.get)
    monkeypatch.setattr(trial_runs, "TRAINER_REGISTRY", registry)
    found = runs(Quick)
    assert found.gradient().startswith("it took fewer than three steps")
    gap = trial_runs.Comparison({"ctx 0": 1e-4}, 1.0, {"lc": (1.0, 1.0)}, ["torch.float64"])
    exact = trial_runs.Comparison({"ctx 0": 1e-13}, 1.0, {"lc": (1.0, 1.0)}, ["torch.float64"])

    def telling(*comparisons):
        def proving(told, ways):
            told(comparisons)
            return trial_runs.suppress()

        monkeypatch.setattr(trial_runs, "proving", proving)

    telling(gap)
    assert found.gradient().endswith("they part by 0.0001 of the largest entry")
    telling(gap, exact)
    assert found.gradient() == "" and found.seen == ["gradient as added by hand to 1e-13"]


def test_each_clip_has_a_folder_of_its_own_and_the_tiny_one_does_not_decide(tmp_path, monkeypatch):
    """Dassl resumes what it finds; and a project may count on layers that the tiny one lacks."""
    folders = []

    class Fake:
        def __init__(self, *given):
            self.size, self.folder, self.seen = 0, None, []
            self.questions = [("now", lambda: "wrong" if len(folders) == 1 else "")]

        def trained(self, out):
            folders.append(self.folder)

    monkeypatch.setattr(trial, "taken", lambda script, words: (None, None))
    monkeypatch.setattr(trial_runs, "Runs", Fake)
    monkeypatch.setattr(trial.miniature, "write_clip", lambda model, file: 32)
    monkeypatch.setattr(trial.miniature.GiveWeights, "install", lambda self: None)
    found = trial.attempt(tmp_path / "train.py", "Mine", (), tmp_path, lambda doing: None)
    assert found.verdict == trial.HOLDS and "widths 64 and 128" in found.said
    assert len(set(folders)) == 2
