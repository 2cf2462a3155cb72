"""Context words: where they start, and how they and a class name become one prompt."""

from types import SimpleNamespace

import pytest
import torch

from npt_plugin.backbone.openai import BytePairs
from npt_plugin.trainers.context import (
    TextContext,
    embed_words,
    initial_context,
    random_context,
    words_of,
)

NAMES = ["red_kite", "boat"]


def node(n_ctx, ctx_init):
    return SimpleNamespace(N_CTX=n_ctx, CTX_INIT=ctx_init)


def test_words_are_read_as_the_public_configs_write_them():
    assert words_of("a_photo_of_a") == "a photo of a"
    assert words_of(True) == "a photo of a"  # KgCoOp's yaml files


def test_a_context_of_words_starts_as_their_token_embeddings(small_clip, capsys):
    ctx, words = initial_context(small_clip, node(16, "a_photo_of_a"))
    tokens = BytePairs()(["a photo of a"])[0, 1:5]
    assert words == "a photo of a"
    assert torch.equal(ctx, small_clip.model.token_embedding.weight[tokens])  # 4 vectors, not 16
    assert torch.equal(embed_words(small_clip, words, 2), ctx[:2])
    out = capsys.readouterr().out  # the CoOp family's lines
    assert 'Initial context: "a photo of a", 4 vectors learned\n' in out


@pytest.mark.parametrize("per_class, shape", [((), (3, 64)), ((5,), (5, 3, 64))])
def test_without_words_it_starts_as_noise_of_the_published_size(small_clip, per_class, shape):
    torch.manual_seed(0)
    ctx, words = initial_context(small_clip, node(3, ""), *per_class)
    assert (ctx.shape, ctx.dtype, words) == (shape, torch.float32, "X X X")
    torch.manual_seed(0)
    assert torch.equal(ctx, 0.02 * torch.randn(shape))


def test_noise_of_different_draws_differs():
    first, again = random_context(2, 8), random_context(2, 8)
    assert not torch.equal(first, again)


def test_a_prompt_is_the_sentence_with_the_context_in_its_place(small_clip):
    """With the words' own vectors it is CLIP's embedding of "a photo of a red kite." itself."""
    ctx = embed_words(small_clip, "a photo of a", 4)
    context = TextContext(small_clip, NAMES, ctx, "a photo of a")
    tokens = BytePairs()(["a photo of a red kite.", "a photo of a boat."])
    longest = int(tokens.argmax(-1).max()) + 1
    assert torch.equal(context(), small_clip.model.token_embedding(tokens[:, :longest]))
    assert torch.equal(context.eot, tokens.argmax(-1))
    assert [name for name, _ in context.named_parameters()] == ["ctx"]
    assert list(context.state_dict()) == ["ctx"]  # class names are not part of a checkpoint


def test_only_the_context_s_positions_change_with_it(small_clip):
    context = TextContext(small_clip, NAMES, torch.zeros(2, 64), "X X")
    before, after = context(), context.assemble(torch.ones(2, 64))
    differing = (before != after).any(-1).any(0)
    assert differing.nonzero().flatten().tolist() == [1, 2]
    assert torch.equal(after[:, 1:3], torch.ones(2, 2, 64))


@pytest.mark.parametrize("position", ["end", "middle", "front"])
def test_groups_of_prompts_are_the_single_ones(small_clip, position):
    """CoCoOp's: one context an image, (G, 1, n_ctx, W)."""
    context = TextContext(small_clip, NAMES, torch.zeros(3, 64), "X X X", position)
    several = torch.randn(4, 3, 64)
    together = context.assemble(several[:, None])
    assert together.shape[:2] == (4, 2)
    for group, one in zip(together, several, strict=True):
        assert torch.equal(group, context.assemble(one))


def test_each_class_gets_its_own_context(small_clip):
    own = torch.randn(2, 3, 64)
    context = TextContext(small_clip, NAMES, own, "X X X")
    assert torch.equal(context()[:, 1:4], own)
    assert context.layout.shared == 0  # no start in common
