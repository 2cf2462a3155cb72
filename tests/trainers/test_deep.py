"""What deep-prompt methods share: first words, deeper prompts, depths a tower has."""

import pytest
import torch

from npt_plugin.backbone.openai import BytePairs
from npt_plugin.errors import UserError
from npt_plugin.trainers.deep import build_text_context, check_depth, deep_prompts


def test_two_vectors_learn_a_photo_and_of_a_stays_as_words(small_clip):
    context = build_text_context(small_clip, ["boat"], 2, "a photo of a")
    embedded = small_clip.model.token_embedding(BytePairs()(["a photo of a boat."]))[0]
    assert torch.equal(context.ctx, embedded[1:3])
    assert torch.equal(context()[0], embedded[: context().shape[1]])


@pytest.mark.parametrize("n_ctx, words", [(5, "a photo of a"), (2, "")])
def test_more_vectors_than_four_or_no_words_start_as_noise(small_clip, n_ctx, words, capsys):
    context = build_text_context(small_clip, ["boat"], n_ctx, words)
    assert context.ctx.shape == (n_ctx, 64) and 0 < context.ctx.std() < 0.04
    said = " ".join(["X"] * n_ctx)
    assert f'Initial context: "{said}", {n_ctx} vectors learned' in capsys.readouterr().out


def test_deeper_layers_have_a_prompt_each():
    assert [tuple(p.shape) for p in deep_prompts(3, 2, 8)] == [(2, 8)] * 3
    assert len(deep_prompts(0, 2, 8)) == 0


@pytest.mark.parametrize("depth, right", [(0, False), (1, True), (12, True), (13, False)])
def test_a_depth_is_refused_exactly_outside_its_range(depth, right):
    if right:
        check_depth("TRAINER.X.DEPTH", depth, 1, 12)
        return
    with pytest.raises(UserError, match=f"X.DEPTH is {depth}; this backbone allows 1 to 12"):
        check_depth("TRAINER.X.DEPTH", depth, 1, 12)
