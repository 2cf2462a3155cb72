"""LoRA: a learned product of two thin matrices beside a frozen linear map."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from npt_plugin.backbone.changes import Change


class LoRA(Change):
    """W x + b + (alpha / r) B A x, with A (r, n) and B (m, r) learned.

    A starts uniform in +-1/sqrt(n), as the released code has it (the paper says Gaussian), B at 0.
    Learned numbers: r (n + m) a map. Products go through r dimensions, so that a step computes no
    gradient of a whole weight.

    Source: Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, ICLR 2022,
    arXiv:2106.09685, section 4.1.

    Args:
        inputs: n.
        outputs: m.
        rank: r.
        alpha: alpha.
    """

    def __init__(self, inputs: int, outputs: int, rank: int, alpha: float) -> None:
        super().__init__()
        self.scale = alpha / rank
        self.a = nn.Parameter(nn.init.kaiming_uniform_(torch.empty(rank, inputs), a=math.sqrt(5)))
        self.b = nn.Parameter(torch.zeros(outputs, rank))

    def forward(
        self, x: Tensor, out: Tensor, x_scale: float = 1.0, out_scale: float = 1.0
    ) -> Tensor:
        """See :class:`Change`."""
        within = F.linear(x, self.a.to(x.dtype))  # (..., r)
        factor = self.scale * out_scale / x_scale
        return out + factor * F.linear(within, self.b.to(within.dtype))

    def merged(self, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """W + (alpha / r) B A; the bias stays."""
        return weight + (self.scale * self.b @ self.a).to(weight.dtype), bias
