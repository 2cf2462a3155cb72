"""Metrics for imbalanced classification, from logits and labels.

Accuracies are percentages. A class without test images is left out of every mean and counted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

ECE_BINS = 15
"""Equal-width confidence bins, as in Guo et al. 2017 (arXiv:1706.04599)."""


@dataclass(frozen=True)
class ShotGroups:
    """When a class counts as many-, medium- or few-shot, by its number of training images.

    Attributes:
        many_above: Many-shot: more than this.
        few_below: Few-shot: fewer than this; the rest is medium.
    """

    many_above: float
    few_below: float

    @classmethod
    def for_counts(
        cls, counts: Sequence[int], many_above: float = -1, few_below: float = -1
    ) -> ShotGroups:
        """The usual 100 / 20 for many-shot data; for few-shot data n_max/2 and n_max/5.

        100 and 20 are the thresholds of the long-tail benchmarks (Liu et al. 2019,
        arXiv:1904.05160). With at most 100 images a class they would leave no many-shot class, so
        there the same idea is scaled: our choice. Values >= 0 override either.
        """
        n_max = max(counts, default=0)
        usual = (100.0, 20.0) if n_max > 100 else (n_max / 2, n_max / 5)
        return cls(
            many_above if many_above >= 0 else usual[0], few_below if few_below >= 0 else usual[1]
        )

    def group(self, count: int) -> str:
        """``"many"``, ``"medium"`` or ``"few"``."""
        if count > self.many_above:
            return "many"
        return "few" if count < self.few_below else "medium"


def classification_metrics(
    logits: Tensor,
    labels: Tensor,
    train_counts: Sequence[int] | None = None,
    groups: ShotGroups | None = None,
) -> dict[str, Any]:
    """All scalar metrics of one evaluation.

    Args:
        logits: (N, K), already times the logit scale: the ECE is of these probabilities.
        labels: (N,) in 0..K-1.
        train_counts: K training counts, for many / medium / few; None: those are left out.
        groups: Thresholds; None: ``ShotGroups.for_counts(train_counts)``.

    Returns:
        ``accuracy`` (micro), ``macro_accuracy``, ``worst_class``, ``ece`` in percent; ``many``,
        ``medium``, ``few`` (None where no class is in the group); ``classes_evaluated``.
    """
    per_class = per_class_accuracy(logits.argmax(dim=1), labels, logits.shape[1])
    present = [a for a in per_class if a is not None]
    metrics: dict[str, Any] = {
        "accuracy": 100.0 * (logits.argmax(dim=1) == labels).double().mean().item(),
        "macro_accuracy": _mean(present),
        "worst_class": min(present, default=None),
        "ece": expected_calibration_error(logits, labels),
        "classes_evaluated": len(present),
    }
    if train_counts is not None:
        groups = groups or ShotGroups.for_counts(train_counts)
        for name in ("many", "medium", "few"):
            pairs = zip(per_class, train_counts, strict=True)
            metrics[name] = _mean(
                [a for a, n in pairs if a is not None and groups.group(n) == name]
            )
    return metrics


def per_class_accuracy(predictions: Tensor, labels: Tensor, n_classes: int) -> list[float | None]:
    """Accuracy (%) of each class; None where the class has no test image.

    Args:
        predictions: (N,) predicted labels.
        labels: (N,) true labels.
        n_classes: K.
    """
    totals = torch.bincount(labels, minlength=n_classes)  # (K,)
    hits = torch.bincount(labels[predictions == labels], minlength=n_classes)  # (K,)
    return [
        100.0 * hit / total if total else None
        for hit, total in zip(hits.tolist(), totals.tolist(), strict=True)
    ]


def expected_calibration_error(logits: Tensor, labels: Tensor, n_bins: int = ECE_BINS) -> float:
    """ECE in percent: sum over bins of |B|/N * |accuracy(B) - confidence(B)|.

    Args:
        logits: (N, K), scaled.
        labels: (N,).
        n_bins: Equal-width bins (low, high] of the largest probability.
    """
    confidence, predicted = logits.double().softmax(dim=1).max(dim=1)  # (N,)
    bins = (confidence * n_bins).ceil().long().clamp(1, n_bins) - 1  # (N,)
    gap = (predicted == labels).double() - confidence  # (N,)
    sums = torch.zeros(n_bins, dtype=torch.double, device=gap.device).index_add_(0, bins, gap)
    return 100.0 * (sums.abs().sum() / len(labels)).item()


def harmonic_mean(base: float, new: float) -> float:
    """H = 2 * base * new / (base + new); 0 where both are 0."""
    return 2 * base * new / (base + new) if base + new > 0 else 0.0


def mean_and_sd(values: Sequence[float]) -> tuple[float, float]:
    """Mean and sample standard deviation (n - 1); NaN for the latter with one value."""
    mean = sum(values) / len(values)
    if len(values) < 2:
        return mean, math.nan
    return mean, math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
