"""On a GPU small passes of the text tower go whole, and give the same numbers."""

from __future__ import annotations

import pytest
import torch
from tolerance import DOUBLE, gap

from npt_plugin.backbone import image_tower, text_tower
from npt_plugin.backbone.launches import LEAST_TOKENS, bound_by_launches
from npt_plugin.backbone.openai import BytePairs
from npt_plugin.backbone.prompt_layout import PromptLayout

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)
NAMES = ["cat", "a very long name of some rare dog", "fish", "old boat", "kite"]


def test_a_cpu_always_saves_arithmetic_and_a_gpu_only_where_there_is_much():
    assert not bound_by_launches(CPU, 1)
    assert bound_by_launches(GPU, LEAST_TOKENS - 1)
    assert not bound_by_launches(GPU, LEAST_TOKENS)


@pytest.fixture
def prompts(small_clip):
    """Embeddings of prompts with a common start and several lengths, ends, layout."""
    tokens = BytePairs()([f"a photo of a {name}." for name in NAMES * 9])
    eot = tokens.argmax(dim=-1)
    layout = PromptLayout(tokens, eot)
    assert layout.shared == 5 and len(layout.buckets) == 2
    return small_clip.embed(tokens[:, : int(eot.max()) + 1]), eot, layout


@pytest.mark.numerics
@pytest.mark.parametrize("chunk", [0, 7])
@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("groups", [1, 3])
def test_features_and_gradients_are_the_same(small_clip, prompts, monkeypatch, groups, deep, chunk):
    embedded, eot, layout = prompts
    if groups > 1:
        embedded = embedded.repeat(groups, 1, 1, 1)
        embedded[:, :, 1:4] = torch.randn(groups, 1, 3, 64)
    inner = [torch.randn(2, 64)] if deep else []
    found = []
    for few in (False, True):
        monkeypatch.setattr(text_tower, "bound_by_launches", lambda *_, few=few: few)
        leaves = [t.clone().requires_grad_() for t in (embedded, *inner)]
        features = small_clip.text_tower(chunk)(leaves[0], eot, leaves[1:], layout)
        (features * torch.linspace(-1, 1, features.numel()).view_as(features)).sum().backward()
        whole, *of_deep = (leaf.grad for leaf in leaves)
        own = whole[..., layout.shared :, :]  # the start's may come through one prompt for all
        found.append((features, whole.sum(dim=-3), own, *of_deep))
    for usual, few in zip(*found, strict=True):
        assert gap(few, usual) <= DOUBLE


@pytest.mark.numerics
@pytest.mark.parametrize("with_shallow", [True, False])
@pytest.mark.parametrize("n_deep", [0, 1])
def test_image_features_are_the_same_with_any_prompts(
    small_clip, monkeypatch, with_shallow: bool, n_deep: int
):
    tower = small_clip.image_tower()
    images, *prompts = torch.randn(3, 3, 32, 32), *torch.randn(2, 2, tower.width)
    shallow, deep = prompts[0] if with_shallow else None, prompts[1 : 1 + n_deep]
    found = []
    for few in (False, True):
        monkeypatch.setattr(image_tower, "bound_by_launches", lambda *_, few=few: few)
        found.append(tower(images, shallow, deep))
    assert gap(*found) <= DOUBLE
