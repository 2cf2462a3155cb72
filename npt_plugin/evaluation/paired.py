"""Two classifiers on the same test images: how much more often one is right, and how surely."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from npt_plugin.evaluation.averages import interval


def hits(logits: Tensor, labels: Tensor) -> Tensor:
    """1.0 where the largest logit is the label's, else 0.0, (N,) float64.

    Args:
        logits: (N, K).
        labels: (N,).
    """
    return (logits.argmax(dim=1) == labels).double()


def paired_difference(one: Tensor, other: Tensor) -> dict[str, Any]:
    """``one`` minus ``other`` in points of accuracy, over the same images.

    Args:
        one: Hits (N,), or a mean of hits.
        other: The same of the other classifier.

    Returns:
        ``difference``; ``interval``, of 95 % by Student's t over the images' differences, None for
        one image; ``n``; ``over``, which says that images were paired.
    """
    differences = 100.0 * (one - other)
    ends = interval(differences.tolist())
    return {
        "difference": differences.mean().item(),
        "interval": None if ends is None else list(ends),
        "n": len(differences),
        "over": "test images",
    }
