"""SSF: a learned scale and shift of what every operation of a block gives."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from npt_plugin.backbone.changes import Change


class ScaleShift(Change):
    """gamma * y + beta, with gamma and beta (m,) learned.

    The paper draws gamma from N(1, 0.02) and beta from N(0, 0.02); here they start at 1 and 0, so
    that the first step starts from CLIP itself. Learned numbers: 2 m an operation.

    Source: Lian et al., Scaling & Shifting Your Features, NeurIPS 2022, arXiv:2210.08823,
    section 3.2.

    Args:
        outputs: m.
    """

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(outputs))
        self.shift = nn.Parameter(torch.zeros(outputs))

    def forward(
        self, x: Tensor, out: Tensor, x_scale: float = 1.0, out_scale: float = 1.0
    ) -> Tensor:
        """See :class:`Change`."""
        shift = self.shift if out_scale == 1 else self.shift * out_scale
        return out * self.scale.to(out.dtype) + shift.to(out.dtype)

    def merged(self, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Rows of the weight times gamma; the bias times gamma, plus beta."""
        scale, shift = self.scale.to(weight.dtype), self.shift.to(weight.dtype)
        return scale.view(-1, *[1] * (weight.ndim - 1)) * weight, scale * bias + shift
