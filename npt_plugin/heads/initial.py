"""Where a head's rows start: from text, from class means, or at random."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from npt_plugin.backbone.outputs import normalize


def semantic_rows(text: Tensor, projection: Tensor | None) -> Tensor:
    """Text features as classifier rows in the space of the image features.

    With P CLIP's visual projection the projected feature is f P, and <f P, t> = <f, t P^T>: the row
    t P^T gives an unprojected feature the inner product that the projected one has with t.

    Source: semantic-aware initialisation, LIFT (arXiv:2309.10019).

    Args:
        text: (K, D), unit norm.
        projection: P (W, D) where features are unprojected, of width W; None where they are
            CLIP's own, of size D.

    Returns:
        (K, W) or (K, D), float32, unit norm.
    """
    text = text.float()
    if projection is None:
        return text
    return normalize(text @ projection.float().t())  # (K, W)


def random_cosine_rows(num_classes: int, dim: int) -> Tensor:
    """(K, D) normal of std 0.02, cut at two std, as GNM-PT starts its cosine head."""
    rows = torch.empty(num_classes, dim)
    return torch.nn.init.trunc_normal_(rows, std=0.02, a=-0.04, b=0.04)


def random_linear_rows(num_classes: int, dim: int) -> Tensor:
    """(K, D) uniform in +-1/sqrt(D), PyTorch's own start of a linear layer."""
    bound = 1 / math.sqrt(dim)
    return torch.empty(num_classes, dim).uniform_(-bound, bound)


def class_mean_rows(features: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """The direction of each class's mean image feature.

    Source: the class-mean initialisation of LIFT (arXiv:2309.10019).

    Args:
        features: (N, D), any norm; each counts as a direction.
        labels: (N,), every class present.
        num_classes: K.

    Returns:
        (K, D), float32, unit norm.
    """
    directions = normalize(features.float())  # (N, D)
    sums = directions.new_zeros(num_classes, directions.shape[1])
    return normalize(sums.index_add_(0, labels, directions))  # the mean's direction is the sum's
