"""Small MLPs of two layers in a block: serial adapters, and AdaptFormer beside the block's MLP."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Bottleneck(nn.Module):
    """W -> r -> W; the way up starts at 0, so that a fresh one gives 0.

    Args:
        width: W.
        rank: r.
        activation: Between the two.
    """

    def __init__(self, width: int, rank: int, activation: nn.Module) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(width, rank), nn.Linear(rank, width)
        self.activation = activation
        for zero in (self.down.bias, self.up.weight, self.up.bias):
            nn.init.zeros_(zero)

    def forward(self, x: Tensor) -> Tensor:
        """(..., W) of (..., W)."""
        hidden = self.activation(_linear(self.down, x))  # (..., r)
        return _linear(self.up, hidden)


def _linear(layer: nn.Linear, x: Tensor) -> Tensor:
    """A layer of float32 weights on features of any precision."""
    return F.linear(x, layer.weight.to(x.dtype), layer.bias.to(x.dtype))


class Adapter(nn.Module):
    """y + Up(GELU(Down(y))) of what one half of a block adds to the residual stream.

    One behind attention and one behind the MLP. Down starts as N(0, 0.01^2) cut at two standard
    deviations; Up does too in the paper, and at 0 here. Learned numbers: 2 W r + W + r each.

    Source: Houlsby et al., Parameter-Efficient Transfer Learning for NLP, ICML 2019,
    arXiv:1902.00751, section 2.1.

    Args:
        width: W.
        rank: r, the paper's m.
    """

    def __init__(self, width: int, rank: int) -> None:
        super().__init__()
        self.inner = Bottleneck(width, rank, nn.GELU())
        nn.init.trunc_normal_(self.inner.down.weight, std=0.01, a=-0.02, b=0.02)

    def forward(self, x: Tensor, out: Tensor) -> Tensor:
        """What the half adds (..., W), adapted."""
        return out + self.inner(out)


class AdaptFormer(nn.Module):
    """MLP(LN(x)) + s Up(ReLU(Down(x))): a second, narrow MLP beside the block's own.

    Two published forms. ``published``: s fixed, 0.1 in the paper; Down Kaiming-uniform. ``lift``:
    Down sees LN'(x) of a LayerNorm of its own, s is learned from 1, Down is Kaiming-normal. Up and
    the biases start at 0 in both. Learned numbers: 2 W r + W + r, and 2 W + 1 in ``lift``.

    Sources: Chen et al., AdaptFormer, NeurIPS 2022, arXiv:2205.13535, section 3.2; LIFT, Shi et
    al., ICML 2024, arXiv:2309.10019, whose released code this form follows.

    Args:
        width: W.
        rank: r.
        lift: LIFT's form.
        scale: s of the published form.
    """

    def __init__(self, width: int, rank: int, lift: bool = False, scale: float = 0.1) -> None:
        super().__init__()
        self.inner = Bottleneck(width, rank, nn.ReLU())
        draw = nn.init.kaiming_normal_ if lift else nn.init.kaiming_uniform_
        draw(self.inner.down.weight, a=math.sqrt(5))
        self.norm = nn.LayerNorm(width) if lift else None
        self.scale = nn.Parameter(torch.ones(())) if lift else scale

    def forward(self, x: Tensor, out: Tensor) -> Tensor:
        """What the MLP adds (..., W), with what this adds."""
        seen = x if self.norm is None else self.norm(x.to(self.norm.weight.dtype)).to(x.dtype)
        return out + self.scale * self.inner(seen)
