"""Visual prompts of VPT and IVLP."""

import pytest
import torch
from tolerance import DOUBLE, gap

from npt_plugin.errors import UserError
from npt_plugin.trainers.visual import VisualPrompts, visual_checkpoint_key


@pytest.fixture
def cfg(make_cfg):
    return make_cfg("VPT")


@pytest.mark.parametrize("depth", [1, 2])
def test_there_is_one_prompt_a_layer(small_clip, cfg, depth):
    prompts = VisualPrompts(small_clip.image_tower(), 3, depth, "VPT", cfg)
    assert prompts.shallow.shape == (3, 64)
    assert [tuple(p.shape) for p in prompts.deep] == [(3, 64)] * (depth - 1)


@pytest.mark.numerics
def test_prompts_of_a_layer_have_no_order(small_clip, cfg):
    """They come without positions, so attention cannot tell them apart."""
    tower = small_clip.image_tower()
    prompts = VisualPrompts(tower, 3, 2, "VPT", cfg).double()
    images = torch.randn(2, 3, 32, 32)
    before = prompts(tower, images)
    with torch.no_grad():
        for prompt in (prompts.shallow, *prompts.deep):
            prompt.copy_(prompt[[2, 0, 1]])
    assert gap(prompts(tower, images), before) <= DOUBLE
    with torch.no_grad():
        prompts.deep[0][0] *= -1
    assert gap(prompts(tower, images), before) > 1e-4


@pytest.mark.parametrize("depth", [0, 3])
def test_a_depth_the_tower_does_not_have_is_refused(small_clip, cfg, depth):
    with pytest.raises(UserError, match=rf"IVLP\.PROMPT_DEPTH_VISION is {depth}; .* 1 to 2"):
        VisualPrompts(small_clip.image_tower(), 3, depth, "IVLP", cfg)


def test_a_resnet_is_refused_with_what_works_on_it(resnet_clip, cfg):
    with pytest.raises(UserError, match="VPT puts prompts between the tokens .* CoOp or CoCoOp"):
        VisualPrompts(resnet_clip.image_tower(), 3, 1, "VPT", cfg)


def test_checkpoint_keys_are_those_inside_the_public_tower():
    assert visual_checkpoint_key("visual_prompts.shallow") == "image_encoder.VPT"
    key = "image_encoder.transformer.resblocks.3.VPT_shallow"
    assert visual_checkpoint_key("visual_prompts.deep.2") == key
