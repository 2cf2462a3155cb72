"""Language-modality collapse (LC): the K text features should stand like a simplex ETF.

NPT (KDD 2024, arXiv:2306.15955) names this regulariser; the formulas are our reading, in the
standard forms of the neural-collapse literature. All accept image-conditional text features
(B, K, D) and are then averaged over images.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from npt_plugin.geometry import cosines, hat, promote
from npt_plugin.losses.shrinkage import mean_weight, weighted

COLLAPSE_FORMS = ("etf", "nc2", "max_angle", "anchored", "zero_shot")


class CollapseLoss(nn.Module):
    """L_LC on all K text features, in one of five forms; pair weights make it v2's de-biasing (GD).

    Args:
        form: ``etf``, ``nc2``, ``max_angle``, ``anchored`` or ``zero_shot``. The last two are one
            formula: with the ETF nearest to the zero-shot text features as the target, and with
            these themselves, which holds without shaping and tells what the shape is worth.
        center: Subtract the mean over classes before the cosines.
        temperature: T > 0 of ``max_angle``, in units of cosine.
        target: (K, D) unit rows, needed by ``anchored`` and ``zero_shot``.
        pair_weights: (K, K) weights of the pairs for ``etf``, mean 1 off the diagonal.
        class_weights: (K,) v_k, times which the part of class k counts; of ``nc2``, which is one
            number for all classes, their mean counts. None: all 1.

    Raises:
        ValueError: If the form is unknown, or a form that needs a target has none.
    """

    target: Tensor | None  # (K, D)
    pair_weights: Tensor | None  # (K, K)
    class_weights: Tensor | None  # (K,)

    def __init__(
        self,
        form: str = "etf",
        center: bool = False,
        temperature: float = 0.1,
        target: Tensor | None = None,
        pair_weights: Tensor | None = None,
        class_weights: Tensor | None = None,
    ) -> None:
        super().__init__()
        if form not in COLLAPSE_FORMS:
            raise ValueError(f"form must be one of {COLLAPSE_FORMS}, got {form!r}")
        if form in ("anchored", "zero_shot") and target is None:
            raise ValueError(f"the {form} form needs a target (K, D)")
        self.form, self.center, self.temperature = form, center, temperature
        self.register_buffer("target", target, persistent=False)
        self.register_buffer("pair_weights", pair_weights, persistent=False)
        self.register_buffer("class_weights", class_weights, persistent=False)

    def forward(self, image_features: Tensor, text_features: Tensor, labels: Tensor) -> Tensor:
        """The scalar term; images and labels are not looked at.

        Args:
            image_features: (B, D), unused.
            text_features: (K, D) or (B, K, D), any float dtype.
            labels: (B,), unused.

        Returns:
            Scalar, float32 (float64 for float64 input); 0 with a graph if K is 1.
        """
        if text_features.shape[-2] < 2:
            return promote(text_features).sum() * 0  # one class has no angle to any other
        text = hat(text_features, self.center)  # (..., K, D)
        if self.form in ("anchored", "zero_shot"):
            assert self.target is not None  # by __init__
            return anchored_collapse(text, self.target, self.class_weights)
        gram = cosines(text)  # (..., K, K)
        if self.form == "nc2":
            return nc2_collapse(gram) * mean_weight(self.class_weights)
        if self.form == "max_angle":
            return max_angle_collapse(gram, self.temperature, self.class_weights)
        return etf_collapse(gram, self.pair_weights, self.class_weights)


def etf_collapse(
    gram: Tensor, pair_weights: Tensor | None = None, class_weights: Tensor | None = None
) -> Tensor:
    """Mean over k != j of v_kj (G_kj + 1/(K-1))^2; v = 1: in [collapse_bound, (K/(K-1))^2].

    Args:
        gram: (..., K, K) cosines, K >= 2.
        pair_weights: (K, K), mean 1 off the diagonal; None means all 1.
        class_weights: (K,), times which the pairs of class k count; None means all 1.

    Returns:
        Scalar, averaged over the leading axes.

    Example:
        >>> etf_collapse(torch.ones(2, 2)).item()  # both cosines are 1 and should be -1
        4.0
    """
    k = gram.shape[-1]
    excess = (gram + 1 / (k - 1)).square() * _off_diagonal(gram)  # (..., K, K)
    if pair_weights is not None:
        excess = excess * pair_weights.to(gram.dtype)
    if class_weights is not None:
        excess = excess * class_weights.to(gram.dtype).unsqueeze(-1)
    return excess.sum(dim=(-2, -1)).mean() / (k * (k - 1))


def nc2_collapse(gram: Tensor) -> Tensor:
    """|| G/||G||_F - (I - 11^T/K)/sqrt(K-1) ||_F^2, in [0, 2].

    Source: metric NC2 of Zhu et al. 2021, arXiv:2105.02375, squared.

    Args:
        gram: (..., K, K) cosines, K >= 2.

    Returns:
        Scalar, averaged over the leading axes.

    Example:
        >>> round(nc2_collapse(torch.ones(3, 3)).item(), 4)
        2.0
    """
    k = gram.shape[-1]
    norm: Tensor = torch.linalg.matrix_norm(gram, keepdim=True)  # (..., 1, 1); at least sqrt(K)
    eye = torch.eye(k, dtype=gram.dtype, device=gram.device)
    return (gram / norm - (eye - 1 / k) / math.sqrt(k - 1)).square().sum(dim=(-2, -1)).mean()


def max_angle_collapse(
    gram: Tensor, temperature: float, class_weights: Tensor | None = None
) -> Tensor:
    """mean_k T log sum_{j != k} exp(G_kj / T): a smooth largest cosine of each class.

    Bounded below for every K, so it is the form for K > D + 1. As T -> 0 it becomes the mean
    over k of max_{j != k} G_kj. Source: one-vs-rest margin of arXiv:2310.05351.

    Args:
        gram: (..., K, K) cosines, K >= 2.
        temperature: T > 0, in units of cosine.
        class_weights: (K,), times which the part of class k counts; None means all 1.

    Returns:
        Scalar, averaged over the leading axes; at an ETF -1/(K-1) + T log(K-1).

    Example:
        >>> round(max_angle_collapse(torch.ones(4, 4), 0.5).item(), 4)  # 1 + 0.5 log 3
        1.5493
    """
    self_pairs = torch.eye(gram.shape[-1], dtype=torch.bool, device=gram.device)
    others = gram.masked_fill(self_pairs, -math.inf)  # (..., K, K)
    largest = temperature * torch.logsumexp(others / temperature, dim=-1)  # (..., K)
    return weighted(largest, class_weights).mean()


def anchored_collapse(text: Tensor, target: Tensor, class_weights: Tensor | None = None) -> Tensor:
    """Mean over k of v_k (1 - <what_k, m_k>); v = 1: in [0, 2].

    Ours: M is the ETF nearest to the zero-shot text features, so the pretrained orientation is
    kept and no seed chooses a rotation.

    Args:
        text: (..., K, D), unit rows.
        target: (K, D), unit rows.
        class_weights: (K,) v_k; None means all 1.

    Returns:
        Scalar, averaged over the leading axes.

    Example:
        >>> anchored_collapse(torch.eye(2), -torch.eye(2)).item()
        2.0
    """
    cosine = (text * target.to(text.dtype)).sum(dim=-1)  # (..., K)
    if class_weights is None:
        return 1 - cosine.mean()
    return weighted(1 - cosine, class_weights).mean()


def debias_weights(class_counts: Tensor, gamma: float) -> Tensor:
    """Pair weights of v2's geometric de-biasing: v_kj ~ ((n_max/n_k)(n_max/n_j))^gamma, mean 1.

    Pairs of rare classes are pushed apart hardest. Source: our reading of NPT v2.

    Args:
        class_counts: (K,) training images per class, all >= 1.
        gamma: >= 0; 0 gives weight 1 everywhere, which is LC.

    Returns:
        (K, K), float32, mean 1 off the diagonal; the diagonal itself is 0.

    Example:
        >>> debias_weights(torch.tensor([16, 4, 1]), 0.5) * 14 / 3
        tensor([[0., 2., 4.],
                [2., 0., 8.],
                [4., 8., 0.]])
    """
    rarity = (class_counts.max() / class_counts.double()).pow(gamma)  # (K,)
    pairs = torch.outer(rarity, rarity)  # (K, K)
    pairs.fill_diagonal_(0)
    k = pairs.shape[0]
    return (pairs * (k * (k - 1)) / pairs.sum().clamp_min(1e-300)).float()


def _off_diagonal(gram: Tensor) -> Tensor:
    k = gram.shape[-1]
    return 1 - torch.eye(k, dtype=gram.dtype, device=gram.device)  # (K, K)
