"""Candle's head against a loop over tokens and heads, and what it must not depend on."""

import math

import pytest
import torch
from tolerance import DOUBLE, gap

from npt_plugin.heads.prototypes import CrossModalAttention, PrototypeHead

D, K, TRAINED = 16, 5, 3

pytestmark = pytest.mark.numerics


def head_of(spread=None, seed=0):
    torch.manual_seed(seed)
    head = PrototypeHead(torch.randn(K, D), TRAINED, 20.0, 0.5, spread).eval()
    with torch.no_grad():
        for parameter in head.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    head.see(torch.randn(TRAINED, D))
    return head


def unit(x):
    return x / x.norm()


def layer_norm(x, norm):
    centred = x - x.mean()
    return centred / (centred.square().mean() + norm.eps).sqrt() * norm.weight + norm.bias


def slow_attention(module, sequence, may_look):
    """Token after token, head after head."""
    attn, rows = module.attn, [layer_norm(x, module.norm) for x in sequence]
    width = D // attn.num_heads
    q, k, v = (w @ torch.stack(rows).T for w in attn.in_proj_weight.chunk(3))
    q, k, v = (x.T + b for x, b in zip((q, k, v), attn.in_proj_bias.chunk(3), strict=True))
    out = []
    for i, row in enumerate(rows):
        parts = []
        for h in range(attn.num_heads):
            cut = slice(h * width, (h + 1) * width)
            looks = [j for j in range(len(rows)) if may_look(i, j)]
            scores = torch.stack([q[i, cut] @ k[j, cut] / math.sqrt(width) for j in looks])
            weights = scores.exp() / scores.exp().sum()
            parts.append(sum(w * v[j, cut] for w, j in zip(weights, looks, strict=True)))
        seen = attn.out_proj.weight @ torch.cat(parts) + attn.out_proj.bias
        out.append(module.ratio * seen + row)
    return torch.stack(out)


@torch.no_grad()
@pytest.mark.parametrize("together", [True, False])
def test_logits_are_those_of_a_loop(together):
    head, features = head_of(), torch.randn(4, D)
    found = head(features, with_prototypes=True, together=together)
    images = [math.sqrt(D) * unit(f) @ head.proj_image for f in features]
    held = torch.cat([head.visual_prototypes, head.virtual_prototypes])
    prototypes = [p @ head.proj_image for p in held]
    text = [t @ head.proj_text for t in head.text_features]
    n = len(images)
    may_look = (lambda i, j: True) if together else (lambda i, j: j >= n or i == j)
    fused = slow_attention(head.fusion, torch.stack([*images, *prototypes, *text]), may_look)
    seen, shown, named = fused[: n + K], fused[n : n + K], fused[n + K :]
    expected = [
        [[20.0 * unit(a) @ unit(b) for b in text] for a in (*images, *prototypes)],
        [[20.0 * unit(a) @ unit(b) for b in named] for a in seen],
        [[10.0 * unit(a) @ unit(b) for b in shown] for a in seen],
    ]
    for ours, theirs in zip(found, expected, strict=True):
        assert gap(ours, torch.tensor(theirs)) <= DOUBLE


@torch.no_grad()
def test_alone_a_prediction_does_not_depend_on_its_batch():
    head, features = head_of(), torch.randn(6, D)
    whole = head(features)
    each = [head(f[None]) for f in features]
    for number in range(3):
        assert gap(torch.cat([one[number] for one in each]), whole[number]) <= DOUBLE
    together = head(features, together=True)
    assert gap(together[0], whole[0]) <= DOUBLE  # no attention there
    assert gap(together[1], whole[1]) > 1e-4 and gap(together[2], whole[2]) > 1e-4


@torch.no_grad()
def test_only_the_direction_of_a_feature_counts():
    head, features = head_of(), torch.randn(3, D)
    scaled = features * torch.tensor([[0.1], [1.0], [30.0]])
    for one, other in zip(head(features), head(scaled), strict=True):
        assert gap(one, other) <= DOUBLE


@torch.no_grad()
def test_it_starts_as_zero_shot_clip_in_its_plain_logits():
    torch.manual_seed(0)
    text, features = torch.randn(K, D), torch.randn(4, D)
    head = PrototypeHead(text, TRAINED, 20.0, 0.5).eval()
    expected = torch.stack(
        [torch.stack([20.0 * unit(f) @ unit(t) for t in text]) for f in features]
    )
    assert gap(head(features)[0], expected) <= DOUBLE
    assert gap(head.rows(), torch.stack([unit(t) for t in text])) <= DOUBLE


@torch.no_grad()
def test_virtual_prototypes_start_at_their_texts_or_around_the_mean_of_the_seen():
    torch.manual_seed(0)
    text, seen = torch.randn(K, D), torch.randn(TRAINED, D)
    size = D**0.5
    plain, noisy = (PrototypeHead(text, TRAINED, 20.0, 0.5, spread) for spread in (None, 0.0))
    for head in (plain, noisy):
        head.see(seen)
    assert (
        gap(plain.virtual_prototypes, torch.stack([size * unit(t) for t in text[TRAINED:]])) < 1e-9
    )
    mean = torch.stack([size * unit(s) for s in seen]).mean(0)
    assert gap(noisy.virtual_prototypes, mean.expand(K - TRAINED, D)) <= DOUBLE


def test_without_new_names_nothing_virtual_learns():
    head = PrototypeHead(torch.randn(K, D), K, 20.0, 0.5)
    assert not head.virtual_prototypes.requires_grad
    assert all(torch.isfinite(logits).all() for logits in head(torch.randn(2, D)))


def test_a_width_without_eight_heads_has_one():
    assert CrossModalAttention(12).attn.num_heads == 1
    assert CrossModalAttention(16).attn.num_heads == 8
