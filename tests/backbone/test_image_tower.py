import copy

import pytest
import torch

from npt_plugin.backbone.image_tower import ImageTower
from npt_plugin.backbone.loading import tokenize
from npt_plugin.backbone.outputs import normalize
from npt_plugin.backbone.precision import cast_towers, resolve_precision
from npt_plugin.backbone.text_tower import TextTower

NAMES = ["cat", "a very long name of some rare dog", "fish", "old boat", "kite"]


def prompts(clip, names=NAMES, length=None):
    tokens = tokenize([f"a photo of a {name}." for name in names])
    eot = tokens.argmax(dim=-1)
    tokens = tokens[:, : length or int(eot.max()) + 1]
    whole = tokenize([f"a photo of a {name}." for name in names])  # all 77 positions
    return clip.token_embedding(tokens).detach(), eot, whole


def test_a_cut_text_sequence_gives_the_features_of_all_77_positions(small_clip):
    embedded, eot, tokens = prompts(small_clip)
    assert embedded.shape[1] < 20
    torch.testing.assert_close(
        TextTower(small_clip)(embedded, eot), small_clip.encode_text(tokens), rtol=1e-5, atol=1e-5
    )


def test_cutting_one_token_too_early_would_be_noticed(small_clip):
    embedded, eot, tokens = prompts(small_clip)
    wrong = TextTower(small_clip)(embedded, eot - 1)
    assert not torch.allclose(wrong, small_clip.encode_text(tokens), atol=1e-3)


def test_images_give_clip_s_own_features(small_clip):
    images = torch.randn(3, 3, 32, 32)
    torch.testing.assert_close(
        ImageTower(small_clip.visual)(images), small_clip.encode_image(images), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("chunk", [1, 2, 4, 5, 99])
def test_chunks_change_neither_features_nor_gradients(small_clip, chunk):
    embedded, eot, _ = prompts(small_clip)
    deep = [torch.randn(2, 64) * 0.02]
    results = []
    for size in (0, chunk):
        leaf = embedded.clone().requires_grad_()
        inner = [d.clone().requires_grad_() for d in deep]
        features = TextTower(small_clip, size)(leaf, eot, inner)
        (features * torch.linspace(-1, 1, features.numel()).view_as(features)).sum().backward()
        results.append((features, leaf.grad, inner[0].grad))
    for plain, chunked in zip(*results, strict=True):
        torch.testing.assert_close(chunked, plain, rtol=1e-5, atol=1e-4)


def test_deep_text_prompts_equal_hooks_that_overwrite_the_context(small_clip):
    """Reference: run CLIP's own module and swap the tokens before layer 1 by a hook."""
    embedded, eot, _ = prompts(small_clip, length=77)
    deep = torch.randn(2, 64)

    def swap(_, inputs):
        x = inputs[0].clone()  # (L, N, W)
        x[1:3] = deep.unsqueeze(1)
        return (x,)

    handle = small_clip.transformer.resblocks[1].register_forward_pre_hook(swap)
    x = (embedded + small_clip.positional_embedding).permute(1, 0, 2)
    x = small_clip.ln_final(small_clip.transformer(x).permute(1, 0, 2))
    expected = x[torch.arange(len(x)), eot] @ small_clip.text_projection
    handle.remove()
    actual = TextTower(small_clip)(embedded, eot, [deep])
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)


def test_visual_prompts_equal_a_slow_reference(small_clip):
    visual, images = small_clip.visual, torch.randn(2, 3, 32, 32)
    shallow, deep = torch.randn(2, 64), torch.randn(2, 64)
    rows = []
    for image in images:
        x = visual.conv1(image[None]).flatten(2)[0].T
        x = torch.cat([visual.class_embedding[None], x]) + visual.positional_embedding
        x = visual.ln_pre(torch.cat([x, shallow]))
        x = visual.transformer.resblocks[0](x[:, None])[:, 0]
        x = torch.cat([x[:-2], deep])
        x = visual.transformer.resblocks[1](x[:, None])[:, 0]
        rows.append(visual.ln_post(x[0]) @ visual.proj)
    actual = ImageTower(visual)(images, shallow, [deep])
    torch.testing.assert_close(actual, torch.stack(rows), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype, close", [(torch.bfloat16, 0.99), (torch.float16, 0.999)])
def test_half_precision_towers_point_the_same_way(small_clip, dtype, close):
    images = torch.randn(2, 3, 32, 32)
    embedded, eot, _ = prompts(small_clip)
    full = copy.deepcopy(small_clip)
    half = cast_towers(small_clip, dtype)
    for a, b in (
        (ImageTower(full.visual)(images), ImageTower(half.visual)(images)),
        (TextTower(full)(embedded, eot), TextTower(half)(embedded, eot)),
    ):
        assert b.dtype == dtype
        assert (normalize(a) * normalize(b.float())).sum(-1).min() > close


def test_precision_names(capsys):
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert resolve_precision("auto", cpu).name == "fp32"
    assert resolve_precision("auto", gpu).name == "fp16"
    assert resolve_precision("amp", gpu).autocast
    assert resolve_precision("fp16", cpu).name == "fp32"
    assert "runs as fp32" in capsys.readouterr().out
