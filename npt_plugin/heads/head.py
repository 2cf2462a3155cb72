"""What every classifier head is: features in, logits out, and the scale they are on."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from npt_plugin.evaluation.posthoc import tau_normalize


class Head(nn.Module):
    """A classifier of K rows on features of size D.

    Attributes:
        scale: s where logits are s x cosine; None for a linear head, which has no such scale.
        names_new_classes: Whether its rows follow from class names alone, so that it can be built
            for classes without training images.
    """

    scale: float | None = None
    names_new_classes = False

    def rows(self) -> Tensor:
        """Classifier rows (K, D), float32; their norms may differ."""
        raise NotImplementedError

    def set_rows(self, rows: Tensor) -> None:
        """Start from other rows (K, D), copied in place."""
        with torch.no_grad():
            self.rows().copy_(rows)


class TextHead(Head):
    """Fixed rows from text: s cos(f, t_c). Only what computes the features learns.

    Args:
        rows: (K, D), text features in the features' space.
        scale: s.
    """

    names_new_classes = True
    scale: float
    text: Tensor  # (K, D)

    def __init__(self, rows: Tensor, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.register_buffer("text", rows.float(), persistent=False)  # made from names

    def rows(self) -> Tensor:
        """Text features (K, D)."""
        return self.text

    def forward(self, features: Tensor) -> Tensor:
        """Logits (B, K) of features (B, D), which need not have unit norm."""
        return cosine_logits(features, self.text, self.scale)


class CosineHead(Head):
    """s cos(f, w_c), w_c learned, no bias.

    Source: the head of LIFT (arXiv:2309.10019) and of GNM-PT, which keeps s in its loss.

    Args:
        rows: (K, D), where the rows start.
        scale: s.
    """

    scale: float

    def __init__(self, rows: Tensor, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.weight = nn.Parameter(rows.float().clone())  # (K, D)

    def rows(self) -> Tensor:
        """The learned rows (K, D)."""
        return self.weight

    def forward(self, features: Tensor) -> Tensor:
        """Logits (B, K) of features (B, D), which need not have unit norm."""
        return cosine_logits(features, self.weight, self.scale)


class LinearHead(Head):
    """<f, w_c> + b_c; in eval mode tau-normalised if asked for.

    tau-normalisation is <f, w_c> / ||w_c||^tau without the bias, as in the paper.
    Source: Kang et al. 2020, arXiv:1910.09217, section 4.

    Args:
        rows: (K, D), where the rows start; the bias starts at 0.
        tau: Exponent of the norms at test time; 0: off.
    """

    def __init__(self, rows: Tensor, tau: float = 0.0) -> None:
        super().__init__()
        self.tau = tau
        self.weight = nn.Parameter(rows.float().clone())  # (K, D)
        self.bias = nn.Parameter(torch.zeros(len(rows)))  # (K,)

    def rows(self) -> Tensor:
        """The learned rows (K, D)."""
        return self.weight

    def forward(self, features: Tensor) -> Tensor:
        """Logits (B, K) of features (B, D)."""
        features = features.to(self.weight.dtype)
        if self.training or self.tau == 0:
            return F.linear(features, self.weight, self.bias)
        return F.linear(features, tau_normalize(self.weight, self.tau))


def cosine_logits(features: Tensor, rows: Tensor, scale: float) -> Tensor:
    """s cos(f, w_c), in float32 outside autocast.

    Args:
        features: (B, D), any float dtype.
        rows: (K, D).
        scale: s.

    Returns:
        (B, K).
    """
    directions = F.normalize(features.to(rows.dtype), dim=-1)  # (B, D)
    return scale * F.linear(directions, F.normalize(rows, dim=-1))
