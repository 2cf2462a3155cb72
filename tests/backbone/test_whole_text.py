"""Text towers that are computed over their whole length."""

import pytest
import torch
from tolerance import gap

pytest.importorskip("open_clip")
from clip_families import family_clip

from npt_plugin.backbone.whole_text import WholeTextTower

pytestmark = pytest.mark.numerics
WORDS = ["a photo of the red kite", "fish"]


@pytest.mark.parametrize("family", ["clipa", "coca", "siglip"])
def test_deep_prompts_replace_the_context_before_later_layers(family):
    clip, deep = family_clip(family), torch.randn(2, 64)
    tokens, ends = clip.cut(clip.tokenizer(WORDS))
    first = clip.tokenizer.starts

    def swap(_, inputs):
        x = inputs[0].clone()
        x[:, first : first + 2] = deep
        return (x, *inputs[1:])

    text = getattr(clip.model, "text", clip.model)
    handle = text.transformer.resblocks[1].register_forward_pre_hook(swap)
    own = clip.model.encode_text(tokens, normalize=False)
    handle.remove()
    tower = clip.text_tower()
    assert isinstance(tower, WholeTextTower)
    assert gap(tower(clip.embed(tokens), ends, [deep]), own) <= 1e-10


@pytest.mark.parametrize("chunk", [1, 3])
def test_chunks_and_groups_change_nothing(chunk):
    clip = family_clip("siglip")
    tokens, ends = clip.cut(clip.tokenizer([*WORDS, "boat"]))
    groups = torch.stack([clip.embed(tokens), 2 * clip.embed(tokens)]).requires_grad_()
    whole = clip.text_tower()(groups, ends)
    parts = clip.text_tower(chunk)(groups, ends)
    assert gap(parts, whole) <= 1e-10
    rows = torch.stack([clip.text_tower()(group, ends) for group in groups])
    assert gap(whole, rows) <= 1e-10


def test_padding_is_seen():
    """Why nothing may be cut: the same words with another token behind their end differ."""
    clip = family_clip("siglip")
    tokens, ends = clip.cut(clip.tokenizer(["a red kite"]))
    other = tokens.clone()
    other[0, -2] = 5
    tower = clip.text_tower()
    assert gap(tower(clip.embed(other), ends), tower(clip.embed(tokens), ends)) > 1e-3
