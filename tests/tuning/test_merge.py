"""A tuned tower is CLIP with other weights: the merged state dict runs in ``clip`` itself."""

import copy

import pytest
import torch
from tolerance import DOUBLE, float32_bound, gap
from torch import nn

from npt_plugin.backbone.openai import BytePairs, part_of_clip
from npt_plugin.tuning.merge import plain_state
from npt_plugin.tuning.methods import METHODS

MERGING = [name for name, method in METHODS.items() if method.merges]
MAPS = {"lora": ("LORA_MAPS", "q, k, v, out, up, down")}


@pytest.mark.numerics
@pytest.mark.parametrize("method", MERGING)
def test_merged_is_unmerged(clip, tuned_clip, method):
    model = tuned_clip(method, *MAPS.get(method, ()))
    merged, clip = copy.deepcopy(clip.model), clip.model
    merged.load_state_dict(plain_state(model.model))
    images = torch.randn(3, 3, 32, 32)
    assert gap(merged.encode_image(images), model.image_tower()(images)) <= DOUBLE
    assert gap(merged.encode_image(images), clip.encode_image(images)) > 1e-3


@pytest.mark.parametrize("method", MERGING)
def test_in_float32_too_and_clip_builds_it(tuned_clip, monkeypatch, method):
    """As exact as OpenAI's own modules with the merged weights."""
    model = tuned_clip(method, *MAPS.get(method, ()))
    state = plain_state(model.model)
    built = part_of_clip("model").build_model(dict(state))
    built.load_state_dict(state)  # build_model rounds to halves
    built.float().load_state_dict(state)
    # clip's own rounds to float32, also where what is exact is asked for
    monkeypatch.setattr(type(built.ln_final), "forward", nn.LayerNorm.forward)
    images = torch.randn(3, 3, 32, 32)
    with torch.no_grad():
        plain, ours = built.encode_image(images), model.image_tower()(images)
        exact = copy.deepcopy(built).double().encode_image(images.double())
        assert (ours - exact).abs().max() <= float32_bound(plain, exact)
        assert torch.isfinite(built.encode_text(BytePairs()(["a cat"]))).all()


@pytest.mark.numerics
def test_open_clip_loads_it(tuned_clip):
    open_clip = pytest.importorskip("open_clip")
    model = tuned_clip("lora")
    vision = {"image_size": 32, "layers": 2, "width": 64, "head_width": 64, "patch_size": 8}
    text = {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 2}
    theirs = open_clip.CLIP(48, vision, text, quick_gelu=True).eval()
    theirs.load_state_dict(plain_state(model.model))
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert gap(theirs.encode_image(images), model.image_tower()(images)) <= DOUBLE


def test_a_plain_model_is_its_own_state(clip):
    clip = clip.model
    state = plain_state(clip)
    assert state.keys() == clip.state_dict().keys()
    assert all(torch.equal(state[name], tensor) for name, tensor in clip.state_dict().items())
    state["visual.proj"].zero_()
    assert clip.visual.proj.abs().sum() > 0
