"""LDAM: larger margins for rarer classes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from npt_plugin.losses.classification import UNWEIGHTED, ClassificationLoss, Weighting
from npt_plugin.system.options import check_counts


def ldam_margins(class_counts: Tensor, max_margin: float) -> Tensor:
    """m_c = max_margin (n_min / n_c)^{1/4}: the rarest class has the largest margin.

    Args:
        class_counts: (K,), training images per class, all >= 1.
        max_margin: In units of cosine.

    Returns:
        (K,), float64; all ``max_margin`` when the counts are equal.

    Example:
        >>> ldam_margins(torch.tensor([16, 1]), 0.5).tolist()
        [0.25, 0.5]
    """
    counts = check_counts(class_counts)
    return max_margin * (counts.min() / counts) ** 0.25


class LDAMLoss(ClassificationLoss):
    """Label-distribution-aware margin: CE of s (cos_c - m_c [c = y]).

    The logits that come in are scaled already, so s m_y is taken from the target's logit. CLIP's s
    is 100: the published margin 0.5 would ask for 50 logits, more than CLIP's cosines ever differ
    by, hence the config's 0.125 x 100 = 12.5 logits, the same as 0.5 at the scale 25 of LIFT.
    In eval mode it is plain cross-entropy: a margin is a training device.
    Source: Cao et al. 2019, arXiv:1906.07413, eq. (13).

    Args:
        class_counts: (K,), training images per class.
        max_margin: Largest margin, in units of cosine.
        logit_scale: s, what turns a margin into logits; with a head of the same scale, margins are
            cosines.
        weighting: Class weights, if any.
    """

    shifts: Tensor  # (K,), in logits

    def __init__(
        self,
        class_counts: Tensor,
        max_margin: float,
        logit_scale: float,
        weighting: Weighting = UNWEIGHTED,
    ) -> None:
        super().__init__(class_counts, weighting)
        shifts = (logit_scale * ldam_margins(class_counts, max_margin)).float()
        self.register_buffer("shifts", shifts, persistent=False)

    def per_sample(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Loss of each image (B,); arguments as in the base."""
        if self.training:
            shifts = self.shifts.to(logits.dtype)[labels]  # (B,)
            logits = logits - torch.zeros_like(logits).scatter(1, labels[:, None], shifts[:, None])
        return F.cross_entropy(logits, labels, reduction="none")
