"""MaPLe: visual prompts are linear maps of the text prompts."""

import pytest
import torch
from tolerance import DOUBLE, gap

from npt_plugin.errors import UserError
from npt_plugin.trainers.maple import MaPLeCLIP


@pytest.mark.numerics
def test_every_visual_prompt_is_its_layer_s_map_of_the_text_prompt(prompted):
    learner = prompted("MaPLe").double().prompt_learner
    shallow, deep = learner.visual()
    assert gap(shallow, learner.context.ctx @ learner.proj.weight.T + learner.proj.bias) <= DOUBLE
    (text,), (coupling,) = learner.compound_prompts_text, learner.compound_prompt_projections
    assert gap(deep[0], text @ coupling.weight.T + coupling.bias) <= DOUBLE


def test_couplings_of_deeper_layers_start_equal_and_are_not_one(make_cfg, small_clip):
    """The public checkout copies one layer; at depth 1 there is none."""
    small_clip.model.transformer.resblocks.append(small_clip.model.transformer.resblocks[0])
    small_clip.model.visual.transformer.resblocks.append(
        small_clip.model.visual.transformer.resblocks[0]
    )
    cfg = make_cfg("MaPLe", "TRAINER.MAPLE.PROMPT_DEPTH", "3")
    first, second = MaPLeCLIP(cfg, ["boat"], small_clip).prompt_learner.compound_prompt_projections
    assert torch.equal(first.weight, second.weight) and first.weight is not second.weight
    assert not MaPLeCLIP(
        make_cfg("MaPLe", "TRAINER.MAPLE.PROMPT_DEPTH", "1"), ["boat"], small_clip
    ).prompt_learner.compound_prompt_projections


def test_an_image_moves_the_text_prompts(prompted):
    """The coupling: gradients of the image side alone reach the first-layer context."""
    model = prompted("MaPLe")
    model.image_features(torch.randn(1, 3, 32, 32)).sum().backward()
    assert model.prompt_learner.context.ctx.grad.abs().sum() > 0
    assert model.prompt_learner.compound_prompts_text[0].grad.abs().sum() > 0


def test_checkpoint_keys_are_the_public_checkout_s(prompted):
    assert sorted(prompted("MaPLe").checkpoint_state()) == [
        "prompt_learner.compound_prompt_projections.0.bias",
        "prompt_learner.compound_prompt_projections.0.weight",
        "prompt_learner.compound_prompts_text.0",
        "prompt_learner.ctx",
        "prompt_learner.proj.bias",
        "prompt_learner.proj.weight",
    ]


@pytest.mark.parametrize("depth", ["0", "3"])
def test_a_depth_the_towers_do_not_have_is_refused(prompted, depth):
    with pytest.raises(UserError, match=rf"MAPLE\.PROMPT_DEPTH is {depth}; .* 1 to 2"):
        prompted("MaPLe", "TRAINER.MAPLE.PROMPT_DEPTH", depth)


def test_a_resnet_is_refused(make_cfg, resnet_clip):
    with pytest.raises(UserError, match="MaPLe puts prompts between the tokens of a ViT"):
        MaPLeCLIP(make_cfg("MaPLe"), ["boat"], resnet_clip)
