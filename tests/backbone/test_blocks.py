"""A block and its MLP against CLIP's own modules, in float64 and through the fp32 kernels."""

import copy

import pytest
import torch
from tolerance import DOUBLE, float32_bound, gap
from torch import nn

import npt_plugin.backbone.frozen_linear as kernels
from npt_plugin.backbone.block import clip_blocks
from npt_plugin.backbone.blocks import block_mlp, finish_block, run_block, split_heads

pytestmark = pytest.mark.numerics
N, L, W = 3, 9, 64


def some_block(clip, causal, length=L):
    """CLIP's block of the text tower (causal) or of the image tower, for L positions."""
    tower = clip.model.transformer if causal else clip.model.visual.transformer
    block = copy.deepcopy(tower.resblocks[1])
    if causal:
        block.attn_mask = block.attn_mask[:length, :length]
    return block


def parts(module):
    (found,) = clip_blocks([module])
    return found


@pytest.mark.parametrize("causal", [True, False])
def test_a_block_is_clip_s_own_with_its_gradient(small_clip, causal):
    block, x = some_block(small_clip, causal), torch.randn(N, L, W, requires_grad=True)
    results = []
    for out in (run_block(parts(block), x, causal), block(x.transpose(0, 1)).transpose(0, 1)):
        weights = torch.linspace(-1, 1, out.numel()).view_as(out)
        results.append((out, *torch.autograd.grad((out * weights).sum(), x)))
    for ours, theirs in zip(*results, strict=True):
        assert gap(ours, theirs) <= DOUBLE


@pytest.mark.parametrize("keep", [1, 4, L])
def test_positions_that_are_kept_still_see_all_others(small_clip, keep):
    block, x = parts(some_block(small_clip, False)), torch.randn(N, L, W)
    assert gap(run_block(block, x, False, keep), run_block(block, x, False)[:, :keep]) <= DOUBLE
    changed = torch.cat([x[:, :-1], torch.randn(N, 1, W)], dim=1)
    assert gap(run_block(block, changed, False, 1), run_block(block, x, False, 1)) > 1e-6


def test_heads_are_slices_of_the_joint_projection(small_clip):
    block, y = some_block(small_clip, False), torch.randn(N, L, W)
    small = block.attn
    small.num_heads = 4
    found = split_heads(parts(block), y, 0, 3)
    joint = y @ small.in_proj_weight.T + small.in_proj_bias  # (N, L, 3 W)
    for which, part in enumerate(found):
        assert part.shape == (N, 4, L, W // 4)
        for head in range(4):
            start = which * W + head * W // 4
            assert gap(part[:, head], joint[..., start : start + W // 4]) <= DOUBLE
    for ours, part in zip(split_heads(parts(block), y, 1, 3), found[1:], strict=True):
        assert gap(ours, part) <= DOUBLE


def test_what_follows_attention_is_projection_residual_and_mlp(small_clip):
    block, x, mixed = some_block(small_clip, False), torch.randn(N, W), torch.randn(N, W)
    y = x + block.attn.out_proj(mixed)
    assert gap(finish_block(parts(block), x, mixed), y + block.mlp(block.ln_2(y))) <= DOUBLE


def test_another_activation_runs_as_it_is(small_clip):
    block, x = some_block(small_clip, False), torch.randn(N, L, W)
    block.mlp.gelu = nn.GELU()
    assert torch.equal(block_mlp(parts(block), x), block.mlp(x))


@pytest.mark.numerics(single=True)
@pytest.mark.parametrize("onednn", [True, False])
def test_in_single_precision_a_block_is_as_exact_as_clip_s_own(small_clip, monkeypatch, onednn):
    """The factors of QuickGELU ride on other tensors where oneDNN computes."""
    if onednn and not kernels._has_onednn():
        pytest.skip("PyTorch without oneDNN")
    monkeypatch.setattr(type(small_clip.model.ln_final), "forward", nn.LayerNorm.forward)
    monkeypatch.setattr(kernels, "_pays", lambda: onednn)
    monkeypatch.setattr(kernels, "_LEAST_WORK", 0)
    monkeypatch.setattr(kernels, "_LEAST_WEIGHT", 0)
    block, x = some_block(small_clip, False), torch.randn(N, L, W, requires_grad=True)
    weights = torch.linspace(-1, 1, x.numel()).view_as(x)

    def results(x, weights, run):
        out = run(x)
        return out, *torch.autograd.grad((out * weights).sum(), x)

    def theirs(x):
        return block(x.transpose(0, 1)).transpose(0, 1)

    ours = results(x, weights, lambda x: run_block(parts(block), x, False))
    plain = results(x, weights, theirs)
    block.double()
    exact = results(x.detach().double().requires_grad_(), weights.double(), theirs)
    for found, expected, true in zip(ours, plain, exact, strict=True):
        assert (found - true).abs().max() <= float32_bound(expected, true)
