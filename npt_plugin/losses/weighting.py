"""Class weights from class counts."""

from __future__ import annotations

from torch import Tensor

from npt_plugin.system.options import check_counts


def inverse_frequency_weights(class_counts: Tensor) -> Tensor:
    """CBW: w_c = N / (K n_c).

    Args:
        class_counts: (K,), training images per class, all >= 1.

    Returns:
        (K,), float64; the mean over training images is 1.

    Example:
        >>> import torch
        >>> inverse_frequency_weights(torch.tensor([4, 1, 1])).tolist()  # 6 / (3 x 4), 6 / (3 x 1)
        [0.5, 2.0, 2.0]
    """
    counts = check_counts(class_counts)
    return counts.sum() / (len(counts) * counts)


def effective_number_weights(class_counts: Tensor, beta: float) -> Tensor:
    """Class-balanced weights w_c ~ (1 - beta) / (1 - beta^{n_c}), summing to K.

    beta 0 gives 1 everywhere; beta -> 1 the inverse frequency.
    Source: Cui et al. 2019, arXiv:1901.05555.

    Args:
        class_counts: (K,), training images per class, all >= 1.
        beta: In [0, 1).

    Returns:
        (K,), float64.

    Raises:
        ValueError: If ``beta`` is outside [0, 1).

    Example:
        >>> import torch
        >>> [round(w, 4) for w in effective_number_weights(torch.tensor([2, 1]), 0.5).tolist()]
        [0.8, 1.2]
    """
    if not 0 <= beta < 1:
        raise ValueError(f"beta must be in [0, 1), got {beta}")
    counts = check_counts(class_counts)
    weights = (1 - beta) / (1 - beta**counts)
    return weights * (len(counts) / weights.sum())


def power_weights(class_counts: Tensor, power: float) -> Tensor:
    """GRW: w_c = K pi_c^-r / sum_k pi_k^-r, with pi the class shares.

    Source: Zhang et al. 2021 (DisAlign), arXiv:2103.16370, where it re-weights stage 2.

    Args:
        class_counts: (K,), training images per class, all >= 1.
        power: r >= 0; 0 gives 1 everywhere, 1 the inverse frequency.

    Returns:
        (K,), float64, summing to K.

    Example:
        >>> import torch
        >>> power_weights(torch.tensor([3, 1]), 1.0).tolist()
        [0.5, 1.5]
    """
    counts = check_counts(class_counts)
    weights = (counts / counts.max()) ** -power  # shares up to a factor that cancels
    return weights * (len(counts) / weights.sum())
