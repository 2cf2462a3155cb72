"""Neural-collapse metrics NC1 to NC4 of image features, text features and the two together.

Source of NC1-NC4: Papyan, Han, Donoho 2020 (arXiv:2008.08186) and Zhu et al. 2021
(arXiv:2105.02375); the text and text-to-image versions follow NPT (arXiv:2306.15955), our reading.
"""

from __future__ import annotations

import torch
from torch import Tensor

from npt_plugin.geometry.features import hat
from npt_plugin.geometry.spread import etf_distance, off_diagonal, spread_metrics


@torch.no_grad()
def nc_metrics(
    image_features: Tensor, labels: Tensor, text_features: Tensor, logits: Tensor | None = None
) -> dict[str, float]:
    """All geometry metrics of one evaluation, for ``results.json``.

    Image class means count once each, however many images they have. Classes without an image
    are left out of everything but the ``_text`` keys, and counted. Computed in float64 on the
    CPU. A key that is undefined (fewer than two classes) is left out, so no NaN is ever written.

    Args:
        image_features: (N, D), unit norm.
        labels: (N,), integers in [0, K).
        text_features: (K, D), unit norm; for image-conditional prompts their mean over images.
        logits: (N, K), what the classifier says; None: cosine with the text features.

    Returns:
        ``classes_present``, ``classes_absent``; ``nc1_image`` within-class variability
        tr(S_W pinv(S_B))/K; ``nc2_equinorm``, ``nc2_equiangular``, ``max_cosine``,
        ``etf_distance``, ``effective_rank`` each ``_image`` and ``_text``; of the cross-Gram
        <what_k, hhat_j>: ``nc2_equiangular_text_to_image``, ``max_cosine_text_to_image``,
        ``etf_distance_text_to_image``; ``nc3_distance``, ``nc3_cosine`` self-duality;
        ``nc4_agreement`` in [0, 1]; ``modality_gap`` distance between the modality means.

    Raises:
        ValueError: If the shapes do not fit.

    Example:
        Four images that sit on the two text features, opposite each other, have collapsed fully.

        >>> text = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
        >>> found = nc_metrics(text[[0, 0, 1, 1]], torch.tensor([0, 0, 1, 1]), text)
        >>> found["nc1_image"], round(found["nc3_cosine"], 4), found["nc4_agreement"]
        (0.0, 1.0, 1.0)
    """
    _check_shapes(image_features, labels, text_features, logits)
    images, text = image_features.cpu().double(), text_features.cpu().double()  # (N, D), (K, D)
    labels = labels.cpu().long()
    counts = torch.bincount(labels, minlength=len(text))  # (K,)
    present = counts > 0
    sums = torch.zeros_like(text).index_add(0, labels, images)  # (K, D)
    means = sums[present] / counts[present, None]  # (P, D)
    result: dict[str, float] = {
        "classes_present": int(present.sum()),
        "classes_absent": int((~present).sum()),
    }
    if len(text) > 1:
        result |= spread_metrics(text, "text")
    if len(means) == 0:
        return result
    shown = text[present]  # (P, D), text features of the classes that have images
    result["modality_gap"] = float((means.mean(dim=0) - shown.mean(dim=0)).norm())
    scores = images @ text.T if logits is None else logits.cpu()  # (N, K)
    result["nc4_agreement"] = nearest_mean_agreement(images, means, present, scores)
    if len(means) > 1:
        position = present.cumsum(0) - 1  # (K,), row of each class in means
        result["nc1_image"] = within_class_variability(images, position[labels], means)
        result |= spread_metrics(means, "image")
        result |= _text_to_image(shown, means)
    return result


def within_class_variability(images: Tensor, labels: Tensor, means: Tensor) -> float:
    """NC1: tr(S_W pinv(S_B)) / P, 0 when every image sits on its class mean.

    S_W = mean over images of (h - m_y)(h - m_y)^T; S_B = mean over classes of the same for
    (m_k - m), m the mean of the class means. Through the SVD of the (P, D) centred means, so no
    (D, D) matrix is built.

    Args:
        images: (N, D), float64.
        labels: (N,), row of each image's class in ``means``.
        means: (P, D), P >= 2, float64.

    Returns:
        The variability, >= 0, without unit.

    Example:
        >>> images = torch.tensor([[1.0], [3.0], [-2.0]]).double()
        >>> labels, means = torch.tensor([0, 0, 1]), torch.tensor([[2.0], [-2.0]]).double()
        >>> round(within_class_variability(images, labels, means), 4)  # 2/3 within, 4 between, / 2
        0.0833
    """
    centred = means - means.mean(dim=0)  # (P, D)
    _, singular, vt = torch.linalg.svd(centred, full_matrices=False)
    keep = singular > singular.max() * max(centred.shape) * 1e-12  # the rest is rounding
    residual = images - means[labels]  # (N, D)
    scaled = residual @ vt[keep].T / singular[keep]  # (N, R)
    # pinv(S_B) = P V S^-2 V^T, and the P cancels against the 1/P of the metric
    return float(scaled.square().sum(dim=1).mean()) if keep.any() else 0.0


def nearest_mean_agreement(images: Tensor, means: Tensor, present: Tensor, logits: Tensor) -> float:
    """NC4: share of images whose nearest class mean is the class the classifier chooses.

    Args:
        images: (N, D).
        means: (P, D), means of the present classes.
        present: (K,), bool.
        logits: (N, K); choosing an absent class counts as disagreement.

    Returns:
        In [0, 1].

    Example:
        >>> images, means = torch.tensor([[1.0], [-1.0]]), torch.tensor([[2.0], [-2.0]])
        >>> logits = torch.tensor([[5.0, 0.0], [5.0, 0.0]])  # the classifier always says class 0
        >>> nearest_mean_agreement(images, means, torch.tensor([True, True]), logits)
        0.5
    """
    classes = present.nonzero().squeeze(1)  # (P,)
    score = images @ means.T - means.square().sum(dim=1) / 2  # (N, P), largest = nearest
    nearest = classes[score.argmax(dim=1)]  # (N,)
    return float((nearest == logits.argmax(dim=1)).double().mean())


def _text_to_image(text: Tensor, means: Tensor) -> dict[str, float]:
    """NC2 and NC3 of text features (P, D) against image class means (P, D), each centred."""
    cross = hat(text, center=True) @ hat(means, center=True).T  # (P, P)
    pairs = off_diagonal(cross)
    product = (text - text.mean(dim=0)) @ (means - means.mean(dim=0)).T  # (P, P)
    return {
        "nc2_equiangular_text_to_image": float(pairs.std(correction=0)),
        "max_cosine_text_to_image": float(pairs.max()),
        "etf_distance_text_to_image": etf_distance(cross),
        "nc3_distance": etf_distance(product),
        "nc3_cosine": float(cross.diagonal().mean()),
    }


def _check_shapes(images: Tensor, labels: Tensor, text: Tensor, logits: Tensor | None) -> None:
    if images.ndim != 2 or text.ndim != 2 or images.shape[1] != text.shape[1]:
        raise ValueError(
            f"need image_features (N, D) and text_features (K, D), got {tuple(images.shape)} and "
            f"{tuple(text.shape)}"
        )
    if labels.shape != images.shape[:1]:
        raise ValueError(f"labels must be ({len(images)},), got {tuple(labels.shape)}")
    if logits is not None and logits.shape != (len(images), len(text)):
        raise ValueError(f"logits must be ({len(images)}, {len(text)}), got {tuple(logits.shape)}")
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < len(text):
        raise ValueError(f"labels must be in [0, {len(text)})")
