"""On a GPU small passes of the text tower take few kernels, and give the same numbers."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
from tolerance import DOUBLE, gap
from torch.utils._python_dispatch import TorchDispatchMode

from npt_plugin.backbone import text_tower
from npt_plugin.backbone.launches import LEAST_TOKENS, bound_by_launches
from npt_plugin.backbone.openai import BytePairs
from npt_plugin.backbone.prompt_layout import PromptLayout

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)
NAMES = ["cat", "a very long name of some rare dog", "fish", "old boat", "kite"]
NO_KERNEL = ("_unsafe_view", "detach", "empty", "empty_like", "lift_fresh")


class Kernels(TorchDispatchMode):
    """Counts what a GPU would have to start: everything but views and bare memory."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        if func.namespace == "aten" and not func.is_view and name not in NO_KERNEL:
            self.counts[name] += 1
        return func(*args, **(kwargs or {}))


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


def _kernels(features: Any, embedded: torch.Tensor) -> int:
    """Of forward and backward."""
    leaf = embedded.clone().requires_grad_()
    with Kernels() as seen:
        features(leaf).sum().backward()
    return seen.counts.total()


def test_fewer_kernels_than_clip_s_own_modules(small_clip, prompts, monkeypatch):
    """The text part of a step, forward and backward, as a GPU would run it."""
    embedded, eot, layout = prompts
    model, rows = small_clip.model, torch.arange(len(eot))
    whole = torch.nn.functional.pad(embedded, (0, 0, 0, 77 - embedded.shape[1]))

    def own(x: torch.Tensor) -> torch.Tensor:
        x = model.transformer((x + model.positional_embedding).permute(1, 0, 2))
        return model.ln_final(x.permute(1, 0, 2))[rows, eot] @ model.text_projection

    tower = small_clip.text_tower()
    plain, usual = _kernels(own, whole), _kernels(lambda x: tower(x, eot, (), layout), embedded)
    monkeypatch.setattr(text_tower, "bound_by_launches", lambda *_: True)
    few = _kernels(lambda x: tower(x, eot, (), layout), embedded)
    assert few < plain < usual
