"""The text tower on cut, chunked and prompted sequences against CLIP's own at 77 positions."""

import pytest
import torch
from tolerance import DOUBLE, gap

from npt_plugin.backbone import text_tower
from npt_plugin.backbone.openai import BytePairs
from npt_plugin.backbone.prompt_layout import PromptLayout
from npt_plugin.backbone.text_tower import replace_context
from npt_plugin.system import ranks

pytestmark = pytest.mark.numerics
NAMES = ["cat", "a very long name of some rare dog", "fish", "old boat", "kite"]


def prompts(clip, names=NAMES, length=None):
    """Embeddings cut after the last end of text (or to ``length``), where each ends, all tokens."""
    tokens = BytePairs()([f"a photo of a {name}." for name in names])
    eot = tokens.argmax(dim=-1)
    cut = tokens[:, : length or int(eot.max()) + 1]
    return clip.embed(cut), eot, tokens


def test_a_cut_sequence_gives_the_features_of_all_77_positions(small_clip):
    embedded, eot, tokens = prompts(small_clip)
    assert embedded.shape[1] < 20
    expected = small_clip.model.encode_text(tokens)
    assert gap(small_clip.text_tower()(embedded, eot), expected) <= DOUBLE
    assert gap(small_clip.text_tower()(embedded, eot - 1), expected) > 1e-3  # one token too early


@pytest.mark.parametrize("chunk", [1, 2, 4, 5, 99])
def test_chunks_change_neither_features_nor_gradients(small_clip, chunk):
    embedded, eot, _ = prompts(small_clip)
    deep = [torch.randn(2, 64) * 0.02]
    results = []
    for size in (0, chunk):
        leaf = embedded.clone().requires_grad_()
        inner = [d.clone().requires_grad_() for d in deep]
        features = small_clip.text_tower(size)(leaf, eot, inner)
        (features * torch.linspace(-1, 1, features.numel()).view_as(features)).sum().backward()
        results.append((features, leaf.grad, inner[0].grad))
    for plain, chunked in zip(*results, strict=True):
        assert gap(chunked, plain) <= DOUBLE


def test_deep_prompts_equal_hooks_that_overwrite_the_context(small_clip):
    """Reference: run CLIP's own module and swap the tokens before layer 1 by a hook."""
    embedded, eot, _ = prompts(small_clip, length=77)
    deep = torch.randn(2, 64)

    def swap(_, inputs):
        x = inputs[0].clone()  # (L, N, W)
        x[1:3] = deep.unsqueeze(1)
        return (x,)

    handle = small_clip.model.transformer.resblocks[1].register_forward_pre_hook(swap)
    x = (embedded + small_clip.model.positional_embedding).permute(1, 0, 2)
    x = small_clip.model.ln_final(small_clip.model.transformer(x).permute(1, 0, 2))
    expected = x[torch.arange(len(x)), eot] @ small_clip.model.text_projection
    handle.remove()
    assert gap(small_clip.text_tower()(embedded, eot, [deep]), expected) <= DOUBLE


@pytest.mark.parametrize("deep", [(), (0.5,)])
@pytest.mark.parametrize("chunk", [0, 2])
def test_groups_and_a_common_start_are_exact(small_clip, deep, chunk):
    """Three contexts for the same classes at once: each as if alone and without a layout."""
    embedded, eot, tokens = prompts(small_clip)
    layout = PromptLayout(tokens, eot)
    groups = embedded.repeat(3, 1, 1, 1)
    groups[:, :, 1:4] = torch.randn(3, 1, 3, 64)
    inner = [size * torch.randn(2, 64) for size in deep]
    assert layout.shared == 5 and len(layout.buckets) == 1
    found = small_clip.text_tower(chunk)(groups, eot, inner, layout)
    plain = small_clip.text_tower()
    assert gap(found, torch.stack([plain(one, eot, inner) for one in groups])) <= DOUBLE


def test_sharing_a_start_that_differs_would_be_noticed(small_clip):
    two, eot = torch.randn(2, 8, 64), torch.tensor([7, 7])
    layout = PromptLayout(torch.zeros(2, 8, dtype=torch.long), eot)
    tower = small_clip.text_tower()
    assert gap(tower(two, eot, layout=layout), tower(two, eot)) > 1e-3


def test_context_stands_after_the_start_token():
    x, prompt = torch.zeros(2, 5, 3), torch.ones(2, 3)
    assert replace_context(x, prompt)[:, :, 0].tolist() == [[0, 1, 1, 0, 0]] * 2


@pytest.mark.parametrize("size", [2, 3, 7])
def test_processes_encode_the_classes_in_parts(small_clip, monkeypatch, size):
    """What each hands over is its classes of the whole; the last of seven has none of five."""
    embedded, eot, tokens = prompts(small_clip)
    layout = PromptLayout(tokens[:, : embedded.shape[1]], eot)
    whole, parts = small_clip.text_tower()(embedded, eot, layout=layout), []
    monkeypatch.setattr(text_tower, "gathered", lambda rows, total: (rows, total))
    for rank in range(size):
        ranks.belong(size, rank)
        rows, total = small_clip.text_tower()(embedded, eot, layout=layout)
        parts.append(rows[: ranks.shares(total)[rank]])
    ranks.belong()
    assert gap(torch.cat(parts), whole) <= DOUBLE
