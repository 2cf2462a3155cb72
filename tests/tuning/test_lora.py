"""LoRA: the product of two thin matrices, as peft computes it, and merged."""

import pytest
import torch
import torch.nn.functional as F
from tolerance import DOUBLE, gap
from torch import nn

from npt_plugin.tuning.lora import LoRA

pytestmark = pytest.mark.numerics
N, M, RANK, ALPHA = 12, 20, 4, 6.0


def learned_lora():
    lora = LoRA(N, M, RANK, ALPHA)
    nn.init.normal_(lora.b)
    return lora


def test_it_adds_the_scaled_product_of_two_thin_matrices():
    lora, x, out = learned_lora(), torch.randn(5, 3, N), torch.randn(5, 3, M)
    expected = torch.stack(
        [o + ALPHA / RANK * (lora.b @ (lora.a @ row)) for row, o in pairs(x, out)]
    )
    assert gap(lora(x, out).flatten(0, 1), expected) <= DOUBLE


def pairs(x, out):
    return zip(x.flatten(0, 1), out.flatten(0, 1), strict=True)


def test_factors_of_the_caller_are_undone():
    lora, x, out = learned_lora(), torch.randn(5, N), torch.randn(5, M)
    assert gap(lora(2 * x, 3 * out, 2, 3), 3 * lora(x, out)) <= DOUBLE


def test_it_starts_at_nothing_with_a_spread_like_a_linear_layer_s():
    lora, out = LoRA(N, M, RANK, ALPHA), torch.randn(5, M)
    assert torch.equal(lora(torch.randn(5, N), out), out)
    assert lora.a.abs().max() <= N**-0.5 and lora.a.std() > 0.8 * (3 * N) ** -0.5 * 3**0.5 / 2
    assert sum(p.numel() for p in lora.parameters()) == RANK * (N + M)


def test_merged_it_is_one_map():
    lora, linear, x = learned_lora(), nn.Linear(N, M), torch.randn(5, N)
    weight, bias = lora.merged(linear.weight, linear.bias)
    assert gap(F.linear(x, weight, bias), lora(x, linear(x))) <= DOUBLE


def test_peft_gives_the_same_outputs_and_gradients():
    peft = pytest.importorskip("peft", reason="peft is not installed: pip install peft")
    torch.manual_seed(1)
    linear, lora, x = nn.Linear(N, M), learned_lora(), torch.randn(7, N, requires_grad=True)
    theirs = peft.get_peft_model(
        nn.Sequential(linear),
        peft.LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=["0"], lora_dropout=0.0),
    )
    layer = theirs.base_model.model[0]
    a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight
    assert torch.equal(b, torch.zeros(M, RANK)) and a.shape == lora.a.shape
    with torch.no_grad():
        a.copy_(lora.a), b.copy_(lora.b)
    upstream = torch.randn(7, M)
    ours = lora(x, F.linear(x, linear.weight.detach(), linear.bias.detach()))
    for one, other in zip(
        (ours, *torch.autograd.grad(ours, (x, lora.a, lora.b), upstream)),
        (theirs(x), *torch.autograd.grad(theirs(x), (x, a, b), upstream)),
        strict=True,
    ):
        assert gap(one, other) <= DOUBLE
