"""Fine-tuned CLIP: it starts as CLIP, learns where it should, and merges."""

import pytest
import torch
from trainer_checks import outputs_of

from npt_plugin.tuning.methods import METHODS

NODE = "TRAINER.FINE_TUNE."
MODULES = [name for name, method in METHODS.items() if not method.own_weights]
TEXT = ("TRAINER.HEAD.NAME", "text")


def tuned(method, towers="image", *more):
    return (NODE + "METHOD", method, NODE + "TOWERS", towers, NODE + "RANK", "4", *TEXT, *more)


@pytest.fixture
def frozen(make_trainer):
    return outputs_of(make_trainer("ZeroshotCLIP"))


@pytest.mark.parametrize("towers", ["image", "text", "both"])
@pytest.mark.parametrize("method", METHODS)
def test_before_the_first_step_it_is_frozen_clip_bit_for_bit(make_trainer, frozen, method, towers):
    ours = outputs_of(make_trainer("FineTune", *tuned(method, towers)))
    for name in ("logits", "image_features", "text_features"):
        assert torch.equal(getattr(ours, name), getattr(frozen, name)), name


@pytest.mark.parametrize("feature", ["projected", "ln_post"])
@pytest.mark.parametrize("method", METHODS)
def test_under_a_cosine_head_it_starts_as_the_probe(make_trainer, method, feature):
    probe = outputs_of(make_trainer("LinearProbe", "TRAINER.LINEAR_PROBE.FEATURE", feature))
    ours = (NODE + "METHOD", method, NODE + "FEATURE", feature)
    found = outputs_of(make_trainer("FineTune", *ours))
    assert torch.equal(found.logits, probe.logits)
    assert torch.equal(found.image_features, probe.image_features)
