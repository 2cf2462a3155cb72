"""Second-stage re-balancing: cRT, LWS, DisAlign and MARC on a frozen first stage.

Each is a module on the first stage's features and logits, and nothing of that stage is trained.
It starts without changing a decision, except cRT, which starts a new head.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SecondStage(nn.Module):
    """What the four methods share; each writes ``correct``."""

    def forward(self, features: Tensor, logits: Tensor) -> Tensor:
        """Corrected logits; no gradient reaches the first stage.

        Args:
            features: (B, D), of the first stage.
            logits: (B, K), of the first stage.

        Returns:
            (B, K).
        """
        return self.correct(features.detach(), logits.detach())

    def correct(self, features: Tensor, logits: Tensor) -> Tensor:
        """What ``forward`` returns, from detached features (B, D) and logits (B, K)."""
        raise NotImplementedError


class Retraining(SecondStage):
    """cRT: a new classifier on frozen features; the old logits are not used.

    Source: Kang et al. 2020, arXiv:1910.09217. The classifier starts anew, as the paper has it;
    the Imbalance-VLM code means to do so and goes on from the old one.

    Args:
        num_classes: K.
        dim: D.
        logit_scale: s of a cosine head, s cos(f, W_c); 0: a linear head with bias.
    """

    def __init__(self, num_classes: int, dim: int, logit_scale: float = 0.0) -> None:
        super().__init__()
        self.logit_scale = logit_scale
        self.classifier = nn.Linear(dim, num_classes, bias=logit_scale == 0)

    def correct(self, features: Tensor, logits: Tensor) -> Tensor:
        """Logits of the new classifier."""
        features = features.to(self.classifier.weight.dtype)
        if self.logit_scale == 0:
            return F.linear(features, self.classifier.weight, self.classifier.bias)
        weight = F.normalize(self.classifier.weight, dim=-1)  # (K, D)
        return self.logit_scale * F.normalize(features, dim=-1) @ weight.T


class LearnableScaling(SecondStage):
    """LWS: z'_c = sigma_c z_c. Source: Kang et al. 2020, arXiv:1910.09217.

    Args:
        num_classes: K.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(num_classes))  # (K,), sigma

    def correct(self, features: Tensor, logits: Tensor) -> Tensor:
        """Scaled logits."""
        return self.scale * logits


class DisAlign(SecondStage):
    """z'_c = (1 + q alpha_c) z_c + q beta_c with confidence q = sigmoid(<v, f> + b).

    Source: Zhang et al. 2021, arXiv:2103.16370; alpha starts at 1 as in Imbalance-VLM, so that
    the start multiplies all logits of an image by 1 + q and changes no decision.

    Args:
        num_classes: K.
        dim: D.
    """

    def __init__(self, num_classes: int, dim: int) -> None:
        super().__init__()
        self.confidence = nn.Linear(dim, 1)
        self.alpha = nn.Parameter(torch.ones(num_classes))  # (K,)
        self.beta = nn.Parameter(torch.zeros(num_classes))  # (K,)

    def correct(self, features: Tensor, logits: Tensor) -> Tensor:
        """Aligned logits."""
        features = features.to(self.confidence.weight.dtype)
        q = torch.sigmoid(self.confidence(features))  # (B, 1)
        return (1 + q * self.alpha) * logits + q * self.beta


class Marc(SecondStage):
    """MARC: z'_c = a_c z_c + b_c ||W_c||, the norms frozen at their first-stage values.

    Source: Wang et al., ACML 2022, arXiv:2112.07225.

    Args:
        weight: (K, D), first-stage classifier (text features of a text head: norms 1).
    """

    norms: Tensor  # (K,); saved, as the first stage's weights may be gone later

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        norms = weight.detach().float().norm(dim=-1)
        self.register_buffer("norms", norms)
        self.scale = nn.Parameter(torch.ones_like(norms))  # (K,), a
        self.shift = nn.Parameter(torch.zeros_like(norms))  # (K,), b

    def correct(self, features: Tensor, logits: Tensor) -> Tensor:
        """Calibrated logits."""
        return self.scale * logits + self.shift * self.norms


class TwoStage(NamedTuple):
    """How a second stage is built and trained; ``trainers/two_stage.py`` runs it.

    Attributes:
        build: ``build(weight (K, D), logit_scale) -> module``; ``weight`` is stage one's, and
            ``logit_scale`` its s, 0 for a linear head.
        loss: Its ``TRAINER.IMBALANCE_LOSS.NAME``.
        balanced_sampling: Whether classes are drawn with equal probability.
    """

    build: Callable[[Tensor, float], SecondStage]
    loss: str
    balanced_sampling: bool


TWO_STAGE: dict[str, TwoStage] = {
    "crt": TwoStage(lambda w, s: Retraining(w.shape[0], w.shape[1], s), "ce", True),
    "lws": TwoStage(lambda w, s: LearnableScaling(w.shape[0]), "ce", True),
    "disalign": TwoStage(lambda w, s: DisAlign(w.shape[0], w.shape[1]), "grw", False),
    "marc": TwoStage(lambda w, s: Marc(w), "grw", False),
}
