"""VPT: visual prompts, and a text that stays."""

import torch

from npt_plugin.trainers.named_text import text_features_of
from npt_plugin.trainers.vpt import TEMPLATE


def test_the_text_is_the_fixed_prompt_whatever_else_is_set(prompted, small_clip):
    model = prompted("VPT", "TRAINER.VPT.CTX_INIT", "some other words")
    names = ["red_kite", "blue kite of the sea", "boat"]
    assert torch.equal(model.text_features(), text_features_of(small_clip, names, TEMPLATE))
    assert not model.text_features().requires_grad
    assert model.learns_image_side and not model.learns_text_side


def test_only_the_image_side_learns_and_is_saved_as_the_public_code_does(prompted):
    model = prompted("VPT")
    assert sorted(model.checkpoint_state()) == [
        "image_encoder.VPT",
        "image_encoder.transformer.resblocks.1.VPT_shallow",
    ]
    model(torch.randn(2, 3, 32, 32)).sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in model.learned().values())
