"""Every family behind the interface against open_clip's own encoders."""

import pytest
import torch
from tolerance import float32_bound, gap, rounding_bound

pytest.importorskip("open_clip")
from clip_families import FAMILIES, VITS, family_clip, halved_clip, own_features

from npt_plugin.backbone.open_clip_model import OpenClip
from npt_plugin.backbone.openai import MEAN
from npt_plugin.backbone.prompt_layout import PromptLayout
from npt_plugin.errors import UserError

NAMES = ["red kite", "a lime fish of the red boat", "boat"]
WORDS = [f"a photo of the {name}." for name in NAMES]


def ours(clip, images, tokens):
    """Features by our towers: cut, shared and by length where that is exact."""
    cut, ends = clip.cut(tokens)
    layout = PromptLayout(cut, ends, causal=clip.causal)
    assert bool(layout.shared) == clip.causal
    return clip.image_tower()(images), clip.text_tower()(clip.embed(cut), ends, layout=layout)


def pictures(clip, number=2):
    return torch.randn(number, 3, *clip.image_size)


@pytest.mark.numerics
@pytest.mark.parametrize("family", FAMILIES)
def test_features_are_the_library_s_own(family):
    clip = family_clip(family)
    images, tokens = pictures(clip), clip.tokenizer(WORDS)
    for mine, own in zip(
        ours(clip, images, tokens), own_features(clip, images, tokens), strict=True
    ):
        assert mine.shape[1] == clip.dim and gap(mine, own) <= 1e-10
    kept = {"clipa": 32, "coca": 76, "mobileclip": 77, "siglip": 16, "siglip2": 16}
    assert clip.cut(tokens)[0].shape[1] == kept.get(family, 14)


@pytest.mark.numerics
@pytest.mark.parametrize("chunk", [0, 2])
@pytest.mark.parametrize("family", ["vit_gelu", "clipa", "coca", "siglip"])
def test_a_context_s_gradient_is_that_of_the_library_s_own_path(family, chunk):
    """The own path gets our embeddings by a hook on its table of tokens."""
    clip, context = family_clip(family), torch.randn(3, clip_width := 64, requires_grad=True)
    tokens, first = clip.tokenizer(WORDS), clip.tokenizer.starts
    weights = torch.randn(len(WORDS), clip.dim)

    def prompts(table):
        parts = table[:, :first], context.expand(len(table), -1, -1), table[:, first + 3 :]
        return torch.cat(parts, dim=1)

    cut, ends = clip.cut(tokens)
    mine = clip.text_tower(chunk)(prompts(clip.embed(cut)), ends)
    handle = clip.token_table.register_forward_hook(lambda module, inputs, out: prompts(out))
    _, own = own_features(clip, pictures(clip, 1), tokens)
    handle.remove()
    assert clip.text_width == clip_width
    found, expected = (torch.autograd.grad((f * weights).sum(), context)[0] for f in (mine, own))
    assert gap(mine, own) <= 1e-10 and gap(found, expected) <= 1e-10


@pytest.mark.parametrize("family", [f for f in FAMILIES if f != "eva02"])
def test_in_single_precision_features_are_as_exact_as_the_library_s(family):
    clip = family_clip(family)
    images, tokens = pictures(clip), clip.tokenizer(WORDS)
    mine, own = ours(clip, images, tokens), own_features(clip, images, tokens)
    exact = own_features(clip.double(), images.double(), tokens)
    for a, b, true in zip(mine, own, exact, strict=True):
        assert (a - true).abs().max() <= float32_bound(b, true)
        assert gap(a.double(), true) <= 1e-5 or float32_bound(b, true) > 1e-5 * true.abs().max()


SLOW = {"eva02": pytest.mark.long}
"""There is no EVA-02 below 224 pixels."""


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("family", [pytest.param(f, marks=SLOW.get(f, ())) for f in FAMILIES])
def test_in_halves_features_are_as_exact_as_the_library_s(family, dtype):
    """Beside float64: ten times what open_clip's own model in that precision adds, no more."""
    clip = family_clip(family)
    images, tokens = pictures(clip), clip.tokenizer(WORDS)
    exact = own_features(family_clip(family).double(), images.double(), tokens)
    own = own_features(halved_clip(family, dtype), images.to(dtype), tokens)
    clip.cast(dtype)
    for mine, plain, true in zip(ours(clip, images, tokens), own, exact, strict=True):
        assert mine.dtype == plain.dtype == dtype
        assert (mine.double() - true).abs().max() <= rounding_bound(plain, true, dtype)
    assert clip.logit_scale.dtype == torch.float32
    clip.cast(torch.float32)
    assert {p.dtype for p in clip.parameters()} == {torch.float32}


@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_family_is(family):
    clip = family_clip(family)
    tower, text = clip.image_tower(), clip.text_tower()
    assert bool(tower.obstacle) == (family not in VITS)
    assert clip.causal == (family not in ("clipa", "coca", "mobileclip", "siglip", "siglip2"))
    assert (clip.logit_bias is not None) == (family in ("siglip", "siglip2"))
    assert clip.tokenizer.starts == (0 if family in ("siglip", "siglip2") else 1)
    assert text.depth >= 2 and not text.obstacle and clip.mean == MEAN
    if family in VITS:
        assert tower.depth >= 2 and tower.width == tower.blocks[0].width and tower.patch > 0
    assert bool(tower.no_class_token) == (
        family not in ("vit_quickgelu", "vit_gelu", "vit_l14_336")
    )


def test_a_text_tower_that_takes_no_embeddings_is_refused():
    clip = family_clip("coca")
    clip.model.text = torch.nn.Linear(2, 2)
    with pytest.raises(UserError, match="text tower .* cannot be given prompts, as it is a Linear"):
        OpenClip(clip.model, clip.tokenizer)
