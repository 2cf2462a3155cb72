"""Balanced softmax and logit adjustment: the class prior inside the softmax."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from npt_plugin.losses.classification import UNWEIGHTED, ClassificationLoss, Weighting


class LogitAdjustedLoss(ClassificationLoss):
    """CE of z + tau log(pi); tau = 1 is the balanced softmax.

    With equal counts the shift is the same for every class and the loss is cross-entropy.
    Sources: Menon et al. 2021, arXiv:2007.07314, eq. (10); Ren et al. 2020, arXiv:2007.10740.

    Args:
        class_counts: (K,), training images per class.
        tau: Strength, in logits per unit of log-prior (after CLIP's logit scale).
        weighting: Class weights, if any.
    """

    def __init__(self, class_counts: Tensor, tau: float, weighting: Weighting = UNWEIGHTED) -> None:
        super().__init__(class_counts, weighting)
        self.tau = tau

    def per_sample(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Loss of each image (B,); arguments as in the base."""
        adjusted = logits + self.tau * self.log_prior.to(logits.dtype)  # (B, K)
        return F.cross_entropy(adjusted, labels, reduction="none")
