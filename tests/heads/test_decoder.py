"""The decoder against PyTorch's own pre-norm encoder layers."""

import pytest
import torch
from tolerance import DOUBLE
from torch import nn

from npt_plugin.errors import UserError
from npt_plugin.heads import Decoder

pytestmark = pytest.mark.numerics

B, L, W, HEADS, HIDDEN = 3, 7, 16, 4, 8


def reference(decoder):
    """The same weights in ``nn.TransformerEncoderLayer``."""
    layers = []
    for block in decoder.blocks:
        layer = nn.TransformerEncoderLayer(
            W, HEADS, HIDDEN, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        theirs = {
            "self_attn.in_proj_": block.qkv,
            "self_attn.out_proj.": block.out,
            "linear1.": block.up,
            "linear2.": block.down,
            "norm1.": block.norm_1,
            "norm2.": block.norm_2,
        }
        state = {f"{k}{n}": getattr(m, n) for k, m in theirs.items() for n in ("weight", "bias")}
        layer.load_state_dict(state)
        layers.append(layer)
    return nn.Sequential(*layers)


def some_decoder(depth=3):
    torch.manual_seed(0)
    decoder = Decoder(W, depth, HEADS, HIDDEN / W)
    with torch.no_grad():
        for p in decoder.parameters():
            p.add_(0.1 * torch.randn(p.shape))
    return decoder, torch.randn(B, L, W)


@pytest.mark.parametrize("depth", [1, 3])
def test_equals_pytorch_s_encoder_layers_with_gradients(depth):
    decoder, tokens = some_decoder(depth)
    plain = reference(decoder).train()  # in eval PyTorch takes a fused path
    ours, theirs = decoder(tokens), plain(tokens)[:, 0]
    torch.testing.assert_close(ours, theirs, rtol=DOUBLE, atol=DOUBLE)
    weights = torch.linspace(-1, 1, ours.numel()).view_as(ours)
    (ours * weights).sum().backward()
    (theirs * weights).sum().backward()
    for block, layer in zip(decoder.blocks, plain, strict=True):
        for a, b in (
            (block.qkv.weight, layer.self_attn.in_proj_weight),
            (block.down.bias, layer.linear2.bias),
            (block.up.weight, layer.linear1.weight),
            (block.norm_1.weight, layer.norm1.weight),
        ):
            torch.testing.assert_close(a.grad, b.grad, rtol=DOUBLE, atol=DOUBLE)


def test_all_tokens_are_looked_at():
    decoder, tokens = some_decoder()
    before = decoder(tokens)
    tokens[:, -1] = torch.randn(W)
    assert not torch.allclose(decoder(tokens), before, atol=1e-3)


def test_starts_with_biases_at_zero_and_norms_at_identity():
    for block in Decoder(W, 2, HEADS, 0.5).blocks:
        for linear in (block.qkv, block.out, block.up, block.down):
            assert not linear.bias.any() and linear.weight.any()
        assert block.up.weight.shape == (HIDDEN, W)
        for norm in (block.norm_1, block.norm_2):
            assert norm.weight.eq(1).all() and norm.eps == 1e-5


@pytest.mark.parametrize("heads", [0, 3, 5])
def test_heads_that_do_not_divide_the_width_are_refused(heads):
    with pytest.raises(UserError, match=f"TRAINER.DECODER.HEADS is {heads}; it must divide .* 16"):
        Decoder(W, 3, heads, 0.5)


@pytest.mark.parametrize("heads", [1, 2, 16])
def test_any_divisor_of_the_width_is_fine(heads):
    assert Decoder(W, 1, heads, 0.5)(torch.randn(B, L, W)).shape == (B, W)


def test_published_size_on_vit_b16():
    """3 blocks of width 768: 8.87 million, as published."""
    size = sum(p.numel() for p in Decoder(768, 3, 4, 0.5).parameters())
    assert size == 8_869_248
