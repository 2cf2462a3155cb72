"""Metrics for imbalanced classification, from logits and labels.

Accuracies are percentages. A class without test images is left out of every mean and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from npt_plugin.evaluation.groups import GROUPS, ShotGroups

ECE_BINS = 15
"""Equal-width confidence bins, as in Guo et al. 2017 (arXiv:1706.04599)."""


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
        for name in GROUPS:
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


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
