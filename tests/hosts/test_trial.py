"""A miniature proof in a process of its own: each way it can end is one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from npt_plugin.hosts.check import try_out
from npt_plugin.hosts.trial import DOES_NOT, HOLDS, UNTRIED

pytestmark = pytest.mark.slow

SCRIPT = """
import argparse, os, sys, torch
from dassl.config import get_cfg_default
from dassl.engine import TRAINER_REGISTRY, build_trainer
sys.path.append({here!r})
from reference_trainers import HostCoOp

@TRAINER_REGISTRY.register()
class Mine(HostCoOp):
    def build_model(self):
        self.cfg.defrost()
        self.cfg.MODEL.BACKBONE.NAME = self.cfg.DATASET.ROOT + "/../clip.pt"
        super().build_model()

    {more}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("root", "seed", "trainer", "output-dir"):
        parser.add_argument("--" + name)
    parser.add_argument("opts", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    {before}
    cfg = get_cfg_default()
    cfg.TRAINER.NAME = args.trainer
    cfg.merge_from_list(args.opts)
    cfg.freeze()
    build_trainer(cfg)
    raise SystemExit("this part must not run")
"""
TALKING = "def loss(self, *a): return super().loss(*a) * (2 if 'NPT' in type(self).__name__ else 1)"


@pytest.fixture
def attempt(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("NPT_FRAMEWORK", "minidassl")

    def run(before="pass", more="pass", words=(), limit=300.0):
        here = str(Path(__file__).resolve().parent)
        script = tmp_path / "train.py"
        script.write_text(SCRIPT.format(here=here, before=before, more=more))
        return try_out(script, "Mine", words, limit)

    return run


def test_a_trainer_that_holds(attempt):
    found = attempt(words=["OPTIM.LR", "0.1"])
    assert (found.verdict, found.doing) == (HOLDS, ""), found.said
    for part in ("weights of 0 are the trainer", "gradient as", "new classes", "(CLIP: Tiny)"):
        assert part in found.said


CLOSING = "def after_train(self): super().after_train(); sys.stdout.close()"


CATCHING = """def build_trainer(cfg, build=build_trainer):
        try:
            return build(cfg)
        except BaseException:
            raise RuntimeError("training ended")
"""


def test_a_trainer_that_closes_the_output_and_a_script_that_catches_all(attempt):
    found = attempt(more=CLOSING, before=CATCHING)
    assert found.verdict == HOLDS, found.said


FROZEN_TEXT = """
    def loss(self, images, labels):
        model = self.model
        if not hasattr(self, "kept"):  # computed once, as where only the image side is tuned
            self.kept = model.features(images)[1].detach()
        image = model.image_encoder(images + model.prompt_learner.ctx.sum())
        image = image / image.norm(dim=-1, keepdim=True)
        scores = model.scale * image @ self.kept.T
        return torch.nn.functional.cross_entropy(scores, labels)
"""


@pytest.mark.long  # what it says of the step alone is tested in test_step_features.py
def test_a_trainer_that_does_not_encode_texts_in_a_step(attempt):
    found = attempt(more=FROZEN_TEXT, words=["TRAINER.NPT.AT", "logits"])
    assert found.verdict == UNTRIED and "weights of 0 are the trainer bit for bit" in found.said
    assert "by hand: its text_encoder is not called in a training step" in found.said
    assert "new classes evaluated" in found.said


def test_a_trainer_that_is_another_under_npt(attempt):
    found = attempt(more=TALKING)
    assert found.verdict == DOES_NOT and "with weights of 0 its run is another" in found.said


@pytest.mark.parametrize(
    "how, said",
    [
        ({"before": "open('no/such')"}, "its script ends before it builds a trainer: FileNotFound"),
        ({"words": ["--help"]}, "builds a trainer: exit code 0 (given were --root"),
        ({"before": "import time; time.sleep(99)", "limit": 8.0}, "it did not end within 8 s"),
    ],
)
def test_a_trainer_that_is_not_reached(attempt, how, said):
    found = attempt(**how)
    assert found.verdict == UNTRIED and said in found.said
