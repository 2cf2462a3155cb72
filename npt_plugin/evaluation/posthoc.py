"""Corrections after training: no gradient, no second stage."""

from __future__ import annotations

from torch import Tensor

from npt_plugin.system.options import check_counts


def posthoc_adjust(logits: Tensor, class_counts: Tensor, tau: float = 1.0) -> Tensor:
    """Post-hoc logit adjustment: logits - tau * log(prior).

    For a model trained with plain cross-entropy; one trained with ``balanced_softmax`` or
    ``logit_adjustment`` is adjusted already. Source: Menon et al. 2021, arXiv:2007.07314, eq. (9).

    Args:
        logits: (B, K), already times the logit scale.
        class_counts: (K,), training images per class, all >= 1.
        tau: Strength; 0 changes nothing.

    Returns:
        (B, K), same dtype.

    Raises:
        ValueError: If a class has no image, or the class numbers differ.
    """
    counts = check_counts(class_counts)
    if len(counts) != logits.shape[-1]:
        raise ValueError(f"logits have {logits.shape[-1]} classes, class_counts {len(counts)}")
    log_prior = (counts / counts.sum()).log().to(logits)  # (K,)
    return logits - tau * log_prior


def tau_normalize(weights: Tensor, tau: float = 1.0) -> Tensor:
    """tau-normalisation of a linear classifier: w_c / ||w_c||^tau.

    It has no effect on unit-norm (cosine, text) heads, whose norms are all 1.
    Source: Kang et al. 2020, arXiv:1910.09217, section 4.

    Args:
        weights: (K, D), rows of a linear head.
        tau: In [0, 1] as a rule; 0 changes nothing, 1 makes every norm 1.

    Returns:
        (K, D), same dtype.
    """
    norms = weights.norm(dim=-1, keepdim=True).clamp_min(1e-12)  # (K, 1)
    return weights / norms**tau
