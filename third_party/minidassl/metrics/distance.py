"""Distances between two sets of feature vectors."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from minidassl.errors import ConfigError


def euclidean_squared_distance(input1: torch.Tensor, input2: torch.Tensor) -> torch.Tensor:
    """Compute squared Euclidean distances.

    Args:
        input1: features (M, D).
        input2: features (N, D).

    Returns:
        Distances (M, N).
    """
    squares1 = input1.square().sum(dim=1)[:, None]  # (M, 1)
    squares2 = input2.square().sum(dim=1)[None, :]  # (1, N)
    return squares1 + squares2 - 2 * input1 @ input2.T  # (M, N)


def cosine_distance(input1: torch.Tensor, input2: torch.Tensor) -> torch.Tensor:
    """Compute one minus the cosine of the angle.

    Args:
        input1: features (M, D), of any length.
        input2: features (N, D), of any length.

    Returns:
        Distances (M, N), from 0 to 2.
    """
    return 1 - F.normalize(input1, dim=1) @ F.normalize(input2, dim=1).T  # (M, N)


_METRICS = {"euclidean": euclidean_squared_distance, "cosine": cosine_distance}


def compute_distance_matrix(
    input1: torch.Tensor, input2: torch.Tensor, metric: str = "euclidean"
) -> torch.Tensor:
    """Compute distances by the name of the metric.

    Args:
        input1: features (M, D).
        input2: features (N, D).
        metric: euclidean (squared) or cosine.

    Returns:
        Distances (M, N).

    Raises:
        ConfigError: (a ValueError) unknown metric.
        AssertionError: not two matrices of the same width.
    """
    if metric not in _METRICS:
        raise ConfigError(f"Unknown distance metric {metric!r}; allowed are {list(_METRICS)}.")
    if input1.dim() != 2 or input2.dim() != 2 or input1.shape[1] != input2.shape[1]:
        raise AssertionError(
            f"expected (M, D) and (N, D), got {tuple(input1.shape)} and {tuple(input2.shape)}"
        )
    return _METRICS[metric](input1, input2)
