"""What every classification loss for imbalanced data shares: weights, DRW, precision."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from npt_plugin.geometry import full_precision, promote
from npt_plugin.losses.weighting import effective_number_weights
from npt_plugin.system.options import check_counts


@dataclass(frozen=True)
class Weighting:
    """Which class weights a loss uses, and from when on.

    Deferred re-weighting (DRW; Cao et al. 2019, arXiv:1906.07413): the weights are those of the
    effective number of samples in epochs above ``drw_epoch`` and absent before.

    Attributes:
        class_weights: (K,), weights used in every epoch; None: none.
        drw_epoch: Last epoch (from 0) without re-weighting; -1: never re-weight.
        drw_beta: beta of the deferred weights, in [0, 1).
    """

    class_weights: Tensor | None = None
    drw_epoch: int = -1
    drw_beta: float = 0.9999


UNWEIGHTED = Weighting()


class ClassificationLoss(nn.Module):
    """Base of the losses: a subclass writes ``per_sample`` and, rarely, ``batch_term``.

    The loss is the weighted mean sum_i w_{y_i} l_i / sum_i w_{y_i} of the per-image losses l_i.
    In a batch of one image the weight would cancel, and re-weighting would do nothing in CoCoOp,
    which trains on one image at a time. There the loss is w_y l / sum_c pi_c w_c: rare classes
    count more by the same ratio, and the mean weight over the training set is 1.

    Args:
        class_counts: (K,), training images per class, all >= 1.
        weighting: Class weights, if any.

    Raises:
        ValueError: If a class has no image, or both kinds of weights are asked for.
    """

    log_prior: Tensor  # (K,)
    weights: Tensor | None  # (K,), mean 1 over the training images

    def __init__(self, class_counts: Tensor, weighting: Weighting = UNWEIGHTED) -> None:
        super().__init__()
        counts = check_counts(class_counts)
        weights, self.drw_epoch = weighting.class_weights, weighting.drw_epoch
        if self.drw_epoch >= 0:
            if weights is not None:
                raise ValueError("weights from the start and deferred weights exclude each other")
            weights = effective_number_weights(counts, weighting.drw_beta)
        self.num_classes = len(counts)
        prior = counts / counts.sum()
        self.register_buffer("log_prior", prior.log().float(), persistent=False)
        if weights is not None:
            weights = (weights / (prior * weights).sum()).float()
        self.register_buffer("weights", weights, persistent=False)
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Tell deferred re-weighting where training stands.

        Args:
            epoch: Current epoch, counted from 0.
        """
        self.weighted = self.weights is not None and epoch > self.drw_epoch

    def per_sample(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Loss of each image, unweighted.

        Args:
            logits: (B, K), float32 or float64.
            labels: (B,), integers in [0, K).

        Returns:
            (B,).
        """
        return F.cross_entropy(logits, labels, reduction="none")

    def batch_term(self, logits: Tensor, labels: Tensor) -> Tensor | None:
        """A further scalar that is no mean over images; None (the default) adds nothing.

        Args:
            logits: (B, K), float32 or float64.
            labels: (B,), integers in [0, K).

        Returns:
            Scalar or None.
        """
        return None

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss of one batch.

        Args:
            logits: (B, K), any float dtype, already times the logit scale.
            labels: (B,), integers in [0, K).

        Returns:
            Scalar, float32 (float64 for float64 logits).

        Raises:
            ValueError: If ``logits`` does not have K columns.
        """
        self._check(logits)
        with full_precision(logits.device.type):
            logits = promote(logits)
            loss = self.reduce(self.per_sample(logits, labels), labels)
            extra = self.batch_term(logits, labels)
            return loss if extra is None else loss + extra

    def reduce(self, losses: Tensor, labels: Tensor) -> Tensor:
        """(Weighted) mean of per-image losses.

        Args:
            losses: (B,).
            labels: (B,), integers in [0, K).

        Returns:
            Scalar.
        """
        if self.weights is None or not self.weighted:
            return losses.mean()
        weights = self.weights.to(losses.dtype)[labels]  # (B,)
        total = weights.sum() if len(labels) > 1 else 1
        return (weights * losses).sum() / total

    def _check(self, logits: Tensor) -> None:
        if logits.ndim != 2 or logits.shape[1] != self.num_classes:
            raise ValueError(
                f"logits must be (B, {self.num_classes}), got shape {tuple(logits.shape)}"
            )


class CrossEntropyLoss(ClassificationLoss):
    """Cross-entropy; while unweighted, exactly ``F.cross_entropy``, in bits and in dtype.

    With weights: CBW, class-balanced, GRW or DRW, whichever weights it was given.
    """

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss of one batch.

        Args:
            logits: (B, K), any float dtype.
            labels: (B,), integers in [0, K).

        Returns:
            Scalar.

        Raises:
            ValueError: If ``logits`` does not have K columns.
        """
        if self.weighted:
            return super().forward(logits, labels)
        self._check(logits)
        return F.cross_entropy(logits, labels)


class FocalLoss(ClassificationLoss):
    """Focal loss -(1 - p_y)^gamma log p_y, from log-probabilities, so never infinite.

    Source: Lin et al. 2017, arXiv:1708.02002, eq. (4) without alpha.

    Args:
        class_counts: (K,), training images per class.
        gamma: Exponent, >= 0; 0 is cross-entropy.
        weighting: Class weights, if any.
    """

    def __init__(
        self, class_counts: Tensor, gamma: float, weighting: Weighting = UNWEIGHTED
    ) -> None:
        super().__init__(class_counts, weighting)
        self.gamma = gamma

    def per_sample(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Loss of each image (B,); arguments as in the base."""
        return focal(F.cross_entropy(logits, labels, reduction="none"), self.gamma)


def focal(cross_entropy: Tensor, gamma: float) -> Tensor:
    """(1 - p)^gamma times -log p, given -log p.

    Args:
        cross_entropy: (B,), -log p_y >= 0.
        gamma: >= 0.

    Returns:
        (B,).

    Example:
        >>> focal(torch.tensor([0.5]).log().neg(), 1.0)  # half of log 2
        tensor([0.3466])
    """
    if gamma == 0:
        return cross_entropy
    # the clamp keeps the power's gradient finite for gamma < 1 at p = 1
    miss = -torch.expm1(-cross_entropy)  # (B,), 1 - p without cancellation
    return miss.clamp_min(1e-12).pow(gamma) * cross_entropy
