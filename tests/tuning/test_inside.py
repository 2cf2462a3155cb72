"""Modules in the blocks: where they stand, and LoRA on a whole block as peft has it."""

import copy

import pytest
import torch
from tolerance import DOUBLE, gap
from torch import nn

from npt_plugin.backbone.blocks import run_block
from npt_plugin.errors import UserError
from npt_plugin.tuning.inside import MAPS, chosen_maps, put_lora, put_ssf
from npt_plugin.tuning.lora import LoRA


def test_maps_are_read_in_any_order_and_spelling():
    assert chosen_maps("v,q") == chosen_maps(" q , v ,") == ("q", "v")
    assert chosen_maps(", ".join(MAPS)) == MAPS


@pytest.mark.parametrize("value, wrong", [("q, w", "'w'"), ("", "''"), ("q v", "'q v'")])
def test_a_map_that_does_not_exist_is_named(value, wrong):
    with pytest.raises(UserError, match=f"{wrong} is not a map"):
        chosen_maps(value)


@pytest.mark.parametrize("maps", [("q", "v"), ("out",), MAPS])
def test_lora_stands_at_the_chosen_maps_of_every_block(places, maps):
    found = places("image")
    put_lora(found, 2, 1.0, maps)
    loras = [n for n, m in found.roots[0].named_modules() if isinstance(m, LoRA)]
    assert len(loras) == len(maps) * len(found.blocks)


@pytest.mark.numerics
def test_ssf_put_twice_acts_once(places):
    found = places("image")
    put_ssf(found)
    put_ssf(found)
    norm = found.norm
    nn.init.constant_(norm.change.shift, 1.0)
    x = torch.randn(2, 64)
    assert torch.allclose(norm(x).mean(), nn.LayerNorm(64)(x).mean() + 1, atol=DOUBLE)


class Separate(nn.Module):
    """The block with a linear layer for each of q, k and v, for peft to find."""

    def __init__(self, block):  # OpenAI's module
        super().__init__()
        attn, width = block.attn, block.attn.embed_dim
        self.q, self.k, self.v = (nn.Linear(width, width) for _ in range(3))
        for number, layer in enumerate((self.q, self.k, self.v)):
            rows = slice(number * width, (number + 1) * width)
            layer.weight.data.copy_(attn.in_proj_weight[rows])
            layer.bias.data.copy_(attn.in_proj_bias[rows])
        self.out, self.ln_1, self.ln_2, self.mlp = attn.out_proj, block.ln_1, block.ln_2, block.mlp

    def forward(self, x):
        y = self.ln_1(x)
        q, k, v = self.q(y), self.k(y), self.v(y)  # one head
        weights = (q @ k.transpose(1, 2) / q.shape[-1] ** 0.5).softmax(dim=-1)
        x = x + self.out(weights @ v)
        return x + self.mlp(self.ln_2(x))


@pytest.mark.slow  # peft takes long to import
@pytest.mark.numerics
def test_peft_on_a_block_gives_the_same_outputs_and_gradients(places):
    peft = pytest.importorskip("peft", reason="peft is not installed: pip install peft")
    found = places("image")
    block = found.blocks[0]
    separate = Separate(copy.deepcopy(block.module)).to(torch.get_default_dtype())
    config = peft.LoraConfig(r=3, lora_alpha=5, target_modules=["q", "v"], lora_dropout=0.0)
    theirs = peft.get_peft_model(separate, config)
    put_lora(found, 3, 5.0, ("q", "v"))
    pairs = []
    for letter in ("q", "v"):
        ours, layer = block.qkv.owner.changes[letter], getattr(theirs.base_model.model, letter)
        nn.init.normal_(ours.b, std=0.3)
        pairs += [
            (ours.a, layer.lora_A["default"].weight),
            (ours.b, layer.lora_B["default"].weight),
        ]
    for mine, other in pairs:
        other.data.copy_(mine)
    x = torch.randn(2, 5, 64)
    results = [run_block(block, x, causal=False), theirs(x)]
    assert gap(*results) <= DOUBLE
    upstream = torch.randn_like(x)
    gradients = [
        torch.autograd.grad(out, [pair[which] for pair in pairs], upstream)
        for which, out in enumerate(results)
    ]
    for mine, other in zip(*gradients, strict=True):
        assert gap(mine, other) <= DOUBLE
