"""Every method's outputs and gradients against the family's own forward, with plain autograd.

The references know nothing of fast paths: OpenAI's modules, called, with the tuned weights in the
place of the frozen ones, or with the published modules put between the calls.
"""

import pytest
import torch
from tolerance import DOUBLE, gap
from torch.func import functional_call

import npt_plugin.backbone.frozen_linear as kernels
from npt_plugin.backbone.openai import OpenAIClip, part_of_clip
from npt_plugin.tuning.methods import METHODS
from npt_plugin.tuning.places import image_places

pytestmark = pytest.mark.numerics
TEXTS = ["a photo of a cat.", "a photo of a very small dog.", "a photo of a"]
EXTRA = {"lora": ("LORA_MAPS", "q, k, v, out, up, down"), "last_k": ("LAST_K", "1")}


def ours(model, images):
    """Image and text features by our towers."""
    tokens, eot = model.cut(model.tokenizer(TEXTS))
    return model.image_tower()(images), model.text_tower()(model.embed(tokens), eot)


def of_blocks(model, blocks, x, causal):
    """(N, L, W) through blocks by the modules' own calls, with what stands beside their halves."""
    x = x.transpose(0, 1)  # OpenAI's blocks have the batch second
    for block in blocks:
        for norm, run in ((block.ln_1, _attend), (block.ln_2, _expand)):
            out = run(block, x)
            beside = getattr(norm, "beside", None)
            x = x + (out if beside is None else beside(x, out))
    return x.transpose(0, 1)


def _attend(block, x):
    mask = None if block.attn_mask is None else block.attn_mask[: len(x), : len(x)].to(x.dtype)
    y = block.ln_1(x)
    weight, bias = joint_map(block.attn)
    width, heads = block.attn.embed_dim, block.attn.num_heads
    out = block.attn.out_proj
    plain = (
        out.change.merged(out.weight, out.bias)
        if hasattr(out, "change")
        else (out.weight, out.bias)
    )
    return torch.nn.functional.multi_head_attention_forward(
        *(y, y, y, width, heads, weight, bias, None, None, False, 0.0, *plain),
        need_weights=False,
        attn_mask=mask,
    )[0]


def joint_map(attn):
    """The joint projection, with what was learned of its parts."""
    parts = []
    for number, letter in enumerate("qkv"):
        rows = slice(number * attn.embed_dim, (number + 1) * attn.embed_dim)
        part = attn.in_proj_weight[rows], attn.in_proj_bias[rows]
        changes = getattr(attn, "changes", {})
        parts.append(changes[letter].merged(*part) if letter in changes else part)
    return tuple(torch.cat(some) for some in zip(*parts, strict=True))


def _expand(block, x):
    return block.mlp(block.ln_2(x))  # hooks of its maps act, as in any call


def by_modules(model, images):
    """The same features by the modules' own calls."""
    tokens, model = model.tokenizer(TEXTS), model.model
    vit = model.visual
    x = vit.conv1(images).flatten(2).transpose(1, 2)
    x = torch.cat([vit.class_embedding.expand(len(x), 1, -1), x], dim=1) + vit.positional_embedding
    x = of_blocks(model, vit.transformer.resblocks, vit.ln_pre(x), False)
    image = vit.ln_post(x[:, 0]) @ vit.proj
    x = model.token_embedding(tokens) + model.positional_embedding
    x = model.ln_final(of_blocks(model, model.transformer.resblocks, x, True))
    return image, x[torch.arange(len(tokens)), tokens.argmax(dim=-1)] @ model.text_projection


@pytest.mark.parametrize("method", METHODS)
def test_outputs_and_gradients_are_those_of_the_modules_themselves(tuned_clip, method):
    model = tuned_clip(method, *EXTRA.get(method, ()))
    learned = [p for p in model.parameters() if p.requires_grad]
    images = torch.randn(3, 3, 32, 32)
    found = []
    for features in (ours(model, images), by_modules(model, images)):
        loss = sum((f * torch.linspace(-1, 1, f.numel()).view_as(f)).sum() for f in features)
        found.append((features, torch.autograd.grad(loss, learned)))
    for one, other in zip(*(features for features, _ in found), strict=True):
        assert gap(one, other) <= DOUBLE
    largest = max(g.abs().max() for g in found[1][1])
    for one, other in zip(*(gradients for _, gradients in found), strict=True):
        assert (one - other).abs().max() <= DOUBLE * largest


@pytest.mark.parametrize("method", [m for m, how in METHODS.items() if how.own_weights])
def test_without_modules_it_is_openai_s_forward(tuned_clip, method):
    model = tuned_clip(method)
    images, tokens = torch.randn(2, 3, 32, 32), model.tokenizer(TEXTS)
    state = dict(model.model.named_parameters())
    image = functional_call(model.model, state, (images, tokens))  # logits of both towers
    ours_image, ours_text = (f / f.norm(dim=1, keepdim=True) for f in ours(model, images))
    assert gap(model.logit_scale.exp() * ours_image @ ours_text.t(), image[0]) <= DOUBLE


def test_a_method_off_by_a_thousandth_would_be_noticed(tuned_clip, monkeypatch):
    model, images = tuned_clip("ssf"), torch.randn(2, 3, 32, 32)
    expected = by_modules(model, images)[0]
    model.model.visual.transformer.resblocks[0].mlp.c_fc.change.scale.data[0] *= 1.001
    assert gap(ours(model, images)[0], expected) > 1e-6


@pytest.mark.numerics(single=True)
@pytest.mark.parametrize("method", METHODS)
def test_large_maps_give_the_same_bits_whether_they_learn_or_not(node, monkeypatch, method):
    """As wide as CLIP's, so that products go through oneDNN where it runs."""
    monkeypatch.setattr(kernels, "_pays", kernels._has_onednn)
    torch.manual_seed(2)
    clip = OpenAIClip(part_of_clip("model").CLIP(48, 32, 1, 512, 8, 77, 60, 64, 1, 1).eval())
    tower, images = clip.requires_grad_(False).image_tower(), torch.randn(2, 3, 32, 32)
    frozen = tower(images)
    METHODS[method].apply(image_places(tower), node(), 4)
    tuned = tower(images)
    assert tuned.requires_grad and torch.equal(tuned, frozen)
