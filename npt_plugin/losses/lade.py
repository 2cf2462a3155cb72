"""LADE: logit adjustment plus a regulariser that disentangles the label distribution."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from npt_plugin.losses.adjustment import LogitAdjustedLoss
from npt_plugin.losses.class_means import membership
from npt_plugin.losses.classification import UNWEIGHTED, Weighting


class LADELoss(LogitAdjustedLoss):
    """CE(z + log pi) + alpha L_est, the estimator on the raw logits z.

        L_est = - sum_c pi_c [ A_c - B_c - lambda B_c^2 ]
        A_c   = mean of z_ic over the batch's images of class c (0 if it has none)
        B_c   = log (1/B) sum_i exp(z_ic - log pi_c + log(1/K))
    Source: Hong et al. 2021, arXiv:2012.00321. On z, as in the paper; the
    Imbalance-VLM code feeds z + log pi, which shifts B_c.

    Args:
        class_counts: (K,), training images per class.
        alpha: Weight of L_est.
        lam: lambda, weight of the squared part.
        weighting: Class weights, of the CE part only.
    """

    def __init__(
        self, class_counts: Tensor, alpha: float, lam: float, weighting: Weighting = UNWEIGHTED
    ) -> None:
        super().__init__(class_counts, 1.0, weighting)
        self.alpha, self.lam = alpha, lam

    def batch_term(self, logits: Tensor, labels: Tensor) -> Tensor:
        """alpha L_est, a scalar; arguments as in the base."""
        log_prior = self.log_prior.to(logits.dtype)  # (K,)
        members = membership(labels, self.num_classes, logits.dtype)  # (B, K)
        own = (logits * members).sum(dim=0) / members.sum(dim=0).clamp_min(1)  # (K,), A
        spread = logits - log_prior - math.log(self.num_classes)  # (B, K)
        partition = torch.logsumexp(spread, dim=0) - math.log(len(labels))  # (K,), B
        estimate = own - partition - self.lam * partition.square()  # (K,)
        return -self.alpha * (log_prior.exp() * estimate).sum()
