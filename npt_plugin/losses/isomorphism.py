"""Multi-modality isomorphism (MI): image class means should share the text features' ETF.

NPT (KDD 2024, arXiv:2306.15955) names this regulariser; the formulas are our reading. Each class
counts once, however many images it has. Image-conditional text features (B, K, D) are averaged
over images: the value is the mean over b of the term with the text features of image b.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from npt_plugin.geometry import hat, promote, simplex_gram, unit
from npt_plugin.geometry.features import DEGENERATE
from npt_plugin.losses.class_means import ClassMeans, class_average
from npt_plugin.losses.shrinkage import mean_weight, weighted

ISOMORPHISM_FORMS = ("etf", "nc3", "pull", "pull_images", "anchored")


class IsomorphismLoss(nn.Module):
    """L_MI between image class means and text features, in one of five forms.

    Centring is per modality (CLIP's modality gap keeps raw image-text cosines near 0.25): text
    over all K classes, images over the classes that have a mean.

    Args:
        form: ``etf``, ``nc3``, ``pull``, ``pull_images`` (each image counts, not each class; of
            the batch only) or ``anchored``.
        num_classes: K.
        center: Subtract each modality's mean over classes. ``nc3`` always centres the images,
            ``pull`` and ``pull_images`` never centre.
        momentum: Of the class-mean bank, in [0, 1); 0 uses the batch only.
        target: (K, D) unit rows, needed by ``anchored``.
        class_weights: (K,) v_k, times which the part of class k counts; of ``nc3``, which is one
            number for all classes, their mean counts. None: all 1.

    Raises:
        ValueError: If the form is unknown, or ``anchored`` has no target.
    """

    target: Tensor | None  # (K, D)
    class_weights: Tensor | None  # (K,)

    def __init__(
        self,
        form: str,
        num_classes: int,
        center: bool = False,
        momentum: float = 0.0,
        target: Tensor | None = None,
        class_weights: Tensor | None = None,
    ) -> None:
        super().__init__()
        if form not in ISOMORPHISM_FORMS:
            raise ValueError(f"form must be one of {ISOMORPHISM_FORMS}, got {form!r}")
        if form == "anchored" and target is None:
            raise ValueError("the anchored form needs a target (K, D)")
        self.form, self.center = form, center
        self.class_means = ClassMeans(num_classes, momentum)
        self.register_buffer("target", target, persistent=False)
        self.register_buffer("class_weights", class_weights, persistent=False)

    def forward(self, image_features: Tensor, text_features: Tensor, labels: Tensor) -> Tensor:
        """The scalar term.

        Args:
            image_features: (B, D), unit norm, any float dtype.
            text_features: (K, D) or (B, K, D), unit norm, any float dtype.
            labels: (B,), integers in [0, K).

        Returns:
            Scalar, float32 (float64 for float64 input); 0 with a graph where the form is
            undefined: K = 1, or fewer than two class means when it needs to centre them.
        """
        images, text = promote(image_features), promote(text_features)
        if text.shape[-2] < 2:
            return (images.sum() + text.sum()) * 0  # one class has nothing to be isomorphic to
        if self.form == "pull_images":
            return image_pull(images, unit(text), labels, self.class_weights)
        means: Tensor  # (K, D)
        mask: Tensor  # (K,)
        means, mask = self.class_means(images, labels)
        if self.form == "pull":
            return pull_isomorphism(means, unit(text), mask, self.class_weights)
        center = self.center or self.form == "nc3"
        centre = (mask @ means / mask.sum().clamp_min(1)) * float(center)  # (D,)
        if self.form == "anchored":
            assert self.target is not None  # by __init__
            aligned = unit(images - centre)  # (B, D)
            value = anchored_isomorphism(aligned, self.target, labels, self.class_weights)
            value = value + text.sum() * 0  # the text features get a zero gradient, not None
        elif self.form == "nc3":
            text = text - text.mean(dim=-2, keepdim=True) * float(self.center)  # (..., K, D)
            value = nc3_isomorphism(means - centre, text, mask) * mean_weight(self.class_weights)
        else:
            value = etf_isomorphism(
                unit(means - centre), hat(text, self.center), mask, self.class_weights
            )
        return value * (mask.sum() >= (2 if center else 1))


def etf_isomorphism(
    means: Tensor, text: Tensor, mask: Tensor, class_weights: Tensor | None = None
) -> Tensor:
    """Mean over classes k with a mean, and all j, of v_k (<hhat_k, what_j> - E_kj)^2.

    Args:
        means: (K, D), unit rows; rows outside the mask are ignored.
        text: (..., K, D), unit rows.
        mask: (K,), 0 or 1.
        class_weights: (K,) v_k; None means all 1.

    Returns:
        Scalar, averaged over the leading axes of ``text``.

    Example:
        >>> text, mask = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([1.0, 0.0])
        >>> etf_isomorphism(text, text, mask).item()  # cosines 1 and 0, wanted 1 and -1
        0.5
    """
    gap = means @ text.transpose(-1, -2) - simplex_gram(len(mask), means.dtype, means.device)
    per_class = weighted(gap.square().mean(dim=-1), class_weights)  # (..., K)
    return ((per_class @ mask) / mask.sum().clamp_min(1)).mean()


def nc3_isomorphism(means: Tensor, text: Tensor, mask: Tensor) -> Tensor:
    """|| W Hc^T / ||W Hc^T||_F - (I - 11^T/P) / sqrt(P-1) ||_F^2 on the P classes with a mean.

    Source: metric NC3 of Zhu et al. 2021, arXiv:2105.02375, squared.

    Args:
        means: (K, D), minus their mean, norm as it is.
        text: (..., K, D), norm as it is.
        mask: (K,), 0 or 1, P of them 1; the value means nothing for P < 2.

    Returns:
        Scalar, averaged over the leading axes of ``text``.

    Example:
        >>> pair = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
        >>> round(nc3_isomorphism(pair, pair, torch.ones(2)).item(), 4)
        0.0
    """
    both = mask[:, None] * mask  # (K, K)
    product = text @ means.T * both  # (..., K, K)
    present = mask.sum()  # P
    norm: Tensor = torch.linalg.matrix_norm(product, keepdim=True).clamp_min(DEGENERATE**2)
    target = (torch.diag(mask) - both / present.clamp_min(1)) * (present - 1).clamp_min(1).rsqrt()
    return (product / norm - target).square().sum(dim=(-2, -1)).mean()


def pull_isomorphism(
    means: Tensor, text: Tensor, mask: Tensor, class_weights: Tensor | None = None
) -> Tensor:
    """Class-balanced mean of v_k (1 - <h_i, w_{y_i}>): linear in h_i, so of raw class means.

    Args:
        means: (K, D), means of unit image features, not normalised again.
        text: (..., K, D), unit rows.
        mask: (K,), 0 or 1.
        class_weights: (K,) v_k; None means all 1.

    Returns:
        Scalar in [0, 2], averaged over the leading axes of ``text``.

    Example:
        >>> text = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> pull_isomorphism(0.5 * text, text, torch.ones(2)).item()
        0.5
    """
    distance = weighted(1 - (means * text).sum(dim=-1), class_weights)  # (..., K)
    return ((distance @ mask) / mask.sum().clamp_min(1)).mean()


def image_pull(
    images: Tensor, text: Tensor, labels: Tensor, class_weights: Tensor | None = None
) -> Tensor:
    """Mean over images of v_{y_i} (1 - <h_i, w_{y_i}>): frequent classes count more.

    Args:
        images: (B, D), unit rows.
        text: (K, D) or (B, K, D), unit rows.
        labels: (B,), integers in [0, K).
        class_weights: (K,) v_k; None means all 1.

    Returns:
        Scalar in [0, 2], averaged over the leading axis of ``text``.

    Example:
        >>> images = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0]])
        >>> image_pull(images, torch.eye(2), torch.tensor([0, 0, 1, 1])).item()
        0.25
    """
    scores = images @ text.transpose(-1, -2)  # (..., B, K)
    own = labels.unsqueeze(-1).expand(*scores.shape[:-1], 1)
    cosine = scores.gather(-1, own).squeeze(-1)  # (..., B)
    if class_weights is None:
        return 1 - cosine.mean()
    return weighted(1 - cosine, class_weights[labels]).mean()


def anchored_isomorphism(
    images: Tensor, target: Tensor, labels: Tensor, class_weights: Tensor | None = None
) -> Tensor:
    """Class-balanced mean over the batch of v_k (1 - <hhat_i, m_{y_i}>), in [0, 2].

    Ours: images are drawn to the fixed ETF nearest to the zero-shot text features.

    Args:
        images: (B, D), unit rows, already minus the mean over classes if centring is on.
        target: (K, D), unit rows.
        labels: (B,), integers in [0, K).
        class_weights: (K,) v_k; None means all 1.

    Returns:
        Scalar.

    Example:
        Class 0 has two images and counts once, as class 1 does.

        >>> images = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
        >>> anchored_isomorphism(images, torch.eye(2), torch.tensor([0, 0, 1])).item()
        0.25
    """
    target = target.to(images.dtype)
    distance = 1 - (images * target[labels]).sum(dim=-1)  # (B,)
    per_class, present = class_average(distance, labels, len(target))  # (K,), (K,)
    return weighted(per_class, class_weights).sum() / present.sum().clamp_min(1)
