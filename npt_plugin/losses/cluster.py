"""The three terms of CPT (CVPR 2026, arXiv:2605.11939): class geometry within text clusters.

Its symbols stand for these tensors: the learned prototypes g_c are the text features of the
current prompts (no parameter is added here), ghat_c are the frozen zero-shot text features, f_ci
the image features. K-means on ghat makes the clusters once; they stay fixed.
"""

from __future__ import annotations

import random

import torch
from torch import Tensor, nn

from npt_plugin.geometry import cosines, hat, promote, unit
from npt_plugin.losses.class_means import class_average


def text_clusters(zero_shot_text: Tensor, num_clusters: int = 0, seed: int = 0) -> Tensor:
    """K-means clusters of the frozen text features.

    Args:
        zero_shot_text: (K, D), unit norm.
        num_clusters: M in 1..K; 0 takes round(sqrt(K)) (our choice, where none is prescribed).
        seed: Of K-means.

    Returns:
        (K,), cluster index of each class, on the CPU.

    Raises:
        ValueError: If ``num_clusters`` is not in 0..K.

    Example:
        >>> text = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.1]])
        >>> first, second, third = text_clusters(text, 2).tolist()
        >>> first == third, first == second
        (True, False)
    """
    before = random.getstate()  # what scikit-learn imports may draw from Python's generator
    from sklearn.cluster import KMeans  # here, because importing it takes a second

    random.setstate(before)
    k = zero_shot_text.shape[0]
    if not 0 <= num_clusters <= k:
        raise ValueError(f"num_clusters must be 0 (automatic) to {k}, got {num_clusters}")
    count = num_clusters or max(1, round(k**0.5))
    points = zero_shot_text.detach().double().cpu().numpy()
    found = KMeans(n_clusters=count, n_init=10, random_state=seed).fit_predict(points)
    return torch.as_tensor(found, dtype=torch.long)


class ClusterETFLoss(nn.Module):
    """L_TETF = (1/M) sum_m || C_m + (11^T - I)/(k_m - 1) ||_F^2 off the diagonal.

    C_m is the cosine Gram of the k_m text features of cluster m; a cluster of one class adds 0.

    Args:
        clusters: (K,), cluster index of each class in 0..M-1, none of them empty.
    """

    pairs: Tensor  # (K, K), 1 where two different classes share a cluster
    ideal: Tensor  # (K,), the cosine that each class should have within its cluster

    def __init__(self, clusters: Tensor) -> None:
        super().__init__()
        same = clusters[:, None] == clusters  # (K, K)
        sizes = same.sum(dim=1)  # (K,), k_m of each class's cluster
        pairs = same.float().fill_diagonal_(0)
        self.num_clusters = int(clusters.max()) + 1
        self.register_buffer("pairs", pairs, persistent=False)
        self.register_buffer("ideal", -1 / (sizes - 1).clamp_min(1).float(), persistent=False)

    def forward(self, image_features: Tensor, text_features: Tensor, labels: Tensor) -> Tensor:
        """The scalar term; images and labels are not looked at.

        Args:
            image_features: (B, D), unused.
            text_features: (K, D) or (B, K, D), any float dtype; averaged over images.
            labels: (B,), unused.

        Returns:
            Scalar, float32 (float64 for float64 input).
        """
        gram = cosines(hat(text_features, center=False))  # (..., K, K)
        excess = (gram - self.ideal[:, None]).square() * self.pairs  # (..., K, K)
        return excess.sum(dim=(-2, -1)).mean() / self.num_clusters


class ClassCompactnessLoss(nn.Module):
    """L_CC = (1/K) sum over classes present of (1/N_c) sum_i || f_ci/|f_ci| - g_c/|g_c| ||_2^2.

    K counts all classes, as published: absent ones add 0, so a small batch weighs less.
    """

    def forward(self, image_features: Tensor, text_features: Tensor, labels: Tensor) -> Tensor:
        """The scalar term.

        Args:
            image_features: (B, D), any float dtype.
            text_features: (K, D) or (B, K, D), any float dtype; averaged over images.
            labels: (B,), integers in [0, K).

        Returns:
            Scalar in [0, 4], float32 (float64 for float64 input).
        """
        images, text = unit(promote(image_features)), unit(promote(text_features))
        classes = text.shape[-2]
        means, present = class_average(images, labels, classes)  # (K, D), (K,)
        # || f - g ||^2 = 2 - 2 <f, g> for unit vectors, so class means are enough
        distance = 2 - 2 * (means * text).sum(dim=-1)  # (..., K)
        return (distance @ present).mean() / classes


class PrototypeAnchorLoss(nn.Module):
    """L_RS = (1/K) sum_c || g_c - ghat_c ||_1: the text features stay near the zero-shot ones.

    Args:
        zero_shot_text: (K, D), frozen, unit norm.
    """

    anchor: Tensor  # (K, D)

    def __init__(self, zero_shot_text: Tensor) -> None:
        super().__init__()
        self.register_buffer("anchor", zero_shot_text.detach().float(), persistent=False)

    def forward(self, image_features: Tensor, text_features: Tensor, labels: Tensor) -> Tensor:
        """The scalar term; images and labels are not looked at.

        Args:
            image_features: (B, D), unused.
            text_features: (K, D) or (B, K, D), unit norm, any float dtype.
            labels: (B,), unused.

        Returns:
            Scalar, float32 (float64 for float64 input).
        """
        text = promote(text_features)
        return (text - self.anchor.to(text.dtype)).abs().sum(dim=-1).mean()
