"""Label-aware smoothing: frequent classes are smoothed more than rare ones."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from npt_plugin.losses.classification import UNWEIGHTED, ClassificationLoss, Weighting
from npt_plugin.system.options import check_counts

SMOOTHING_SHAPES = ("concave", "linear", "convex", "power")


def smoothing_factors(
    class_counts: Tensor, head: float, tail: float, shape: str = "concave", power: float = 2.0
) -> Tensor:
    """e_c between ``tail`` at the rarest and ``head`` at the most frequent class.

    With t = (n_c - n_min)/(n_max - n_min): tail + (head - tail) f(t), where f is sin(pi t/2)
    (concave), t (linear), 1 - cos(pi t/2) (convex) or t^power. When all counts are equal every
    class is the most frequent one, t = 1, and it is ordinary label smoothing.
    Source: Zhong et al. 2021 (MiSLAS), arXiv:2104.00466.

    Args:
        class_counts: (K,), training images per class, all >= 1.
        head: e of the most frequent class, in [0, 1).
        tail: e of the rarest class, in [0, 1).
        shape: ``concave``, ``linear``, ``convex`` or ``power``.
        power: Exponent of ``power``, > 0.

    Returns:
        (K,), float64.

    Raises:
        ValueError: If the shape is unknown.

    Example:
        >>> smoothing_factors(torch.tensor([1, 3, 5]), head=0.5, tail=0.0, shape="linear").tolist()
        [0.0, 0.25, 0.5]
    """
    counts = check_counts(class_counts)
    span = counts.max() - counts.min()
    t = (counts - counts.min()) / span if span > 0 else torch.ones_like(counts)  # (K,)
    if shape == "concave":
        t = torch.sin(t * math.pi / 2)
    elif shape == "convex":
        t = 1 - torch.cos(t * math.pi / 2)
    elif shape == "power":
        t = t**power
    elif shape != "linear":
        raise ValueError(f"shape must be one of {SMOOTHING_SHAPES}, got {shape!r}")
    return tail + (head - tail) * t


class LabelAwareSmoothingLoss(ClassificationLoss):
    """(1 - e_y) (-log p_y) + e_y mean_c (-log p_c).

    Args:
        class_counts: (K,), training images per class.
        factors: (K,), smoothing of each class, from ``smoothing_factors``.
        weighting: Class weights, if any.
    """

    factors: Tensor  # (K,)

    def __init__(
        self, class_counts: Tensor, factors: Tensor, weighting: Weighting = UNWEIGHTED
    ) -> None:
        super().__init__(class_counts, weighting)
        self.register_buffer("factors", factors.float(), persistent=False)

    def per_sample(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Loss of each image (B,); arguments as in the base."""
        log_p = F.log_softmax(logits, dim=1)  # (B, K)
        own = -log_p.gather(1, labels[:, None]).squeeze(1)  # (B,)
        smooth = self.factors.to(logits.dtype)[labels]  # (B,)
        return (1 - smooth) * own - smooth * log_p.mean(dim=1)
