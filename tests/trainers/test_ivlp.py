"""IVLP: prompts in both towers that know nothing of each other."""

import pytest
import torch
from tolerance import DOUBLE, gap

from npt_plugin.errors import UserError

LANGUAGE_ONLY = ("TRAINER.IVLP.PROMPT_DEPTH_VISION", "0")


@pytest.mark.numerics
def test_without_vision_the_image_side_is_clip_s_own(prompted, small_clip):
    model, images = prompted("IVLP", *LANGUAGE_ONLY), torch.randn(3, 3, 32, 32)
    own = small_clip.model.encode_image(images)
    assert gap(model.image_features(images), own / own.norm(dim=-1, keepdim=True)) <= DOUBLE
    assert not model.learns_image_side and all("visual" not in n for n in model.learned())
    assert prompted("IVLP").learns_image_side


def test_no_prompt_of_one_tower_reaches_the_other(prompted):
    model = prompted("IVLP")
    model.text_features().sum().backward()
    moved = {name for name, p in model.learned().items() if p.grad is not None}
    assert moved == {"prompt_learner.context.ctx", "prompt_learner.deep.0"}
    model.zero_grad()
    model.image_features(torch.randn(1, 3, 32, 32)).sum().backward()
    moved = {name for name, p in model.learned().items() if p.grad is not None}
    assert moved == {"visual_prompts.shallow", "visual_prompts.deep.0"}


def test_checkpoint_keys_are_the_public_checkout_s(prompted):
    assert sorted(prompted("IVLP").checkpoint_state()) == [
        "image_encoder.VPT",
        "image_encoder.transformer.resblocks.1.VPT_shallow",
        "prompt_learner.ctx",
        "text_encoder.transformer.resblocks.1.VPT_shallow",
    ]


@pytest.mark.parametrize("side, depth", [("TEXT", "0"), ("TEXT", "3"), ("VISION", "3")])
def test_a_depth_the_towers_do_not_have_is_refused(prompted, side, depth):
    with pytest.raises(UserError, match=rf"IVLP\.PROMPT_DEPTH_{side} is {depth}"):
        prompted("IVLP", f"TRAINER.IVLP.PROMPT_DEPTH_{side}", depth)
