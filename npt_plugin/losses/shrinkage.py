"""How much the geometry counts for a class that has images of its own to learn from."""

from __future__ import annotations

from torch import Tensor


def shrinkage_weights(class_counts: Tensor, prior_count: float) -> Tensor | None:
    """v_k = n0 / (n0 + n_k): the share of a prior that is worth n0 images among n_k more.

    NPT's terms say where a class should stand before its images are seen, and cross-entropy what
    its images say. Between the two a class of n_k images is shrunk as a mean with a prior is: a
    rare class nearly all the way, a frequent one hardly. Ours; the weight is the posterior mean's
    of a normal distribution whose prior counts as n0 observations.

    Args:
        class_counts: (K,) training images a class, n_k >= 1.
        prior_count: n0 >= 0, in images.

    Returns:
        (K,), float32, in (0, 1); None for n0 = 0, where every class counts fully.

    Example:
        >>> import torch
        >>> shrinkage_weights(torch.tensor([16, 4, 1]), 4.0)
        tensor([0.2000, 0.5000, 0.8000])
    """
    if prior_count == 0:
        return None
    return (prior_count / (prior_count + class_counts.double())).float()


def weighted(per_class: Tensor, weights: Tensor | None) -> Tensor:
    """Parts (..., K) of a term, each times its class's weight; None: as they are."""
    return per_class if weights is None else per_class * weights.to(per_class.dtype)


def mean_weight(weights: Tensor | None) -> Tensor | float:
    """What a term that is one number for all classes is multiplied by."""
    return 1.0 if weights is None else weights.mean()
