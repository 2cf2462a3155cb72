"""Beyond K = D + 1, where no simplex ETF exists: unit-norm tight frames that sum to zero.

Such a frame attains ``collapse_bound`` exactly, so it is the optimum that the collapse term's
``etf`` form can reach; its root-mean-square cosine equals Welch's bound. Its single cosines
spread around -1/(K-1); ``sharpen`` steps trade a little tightness for a smaller spread.
"""

from __future__ import annotations

import torch
from torch import Tensor

from npt_plugin.geometry.etf import nearest_etf, welch_bound


def near_equiangular(
    num_classes: int,
    dim: int,
    seed: int = 0,
    features: Tensor | None = None,
    steps: int = 100,
    sharpen: int = 0,
) -> Tensor:
    """K unit vectors in D < K - 1 dimensions, spread about as evenly as such vectors can be.

    Alternates between the nearest zero-sum tight frame (centre, then polar factor) and the
    nearest unit-norm rows, until the rows of the tight frame have unit norm. Each ``sharpen``
    step first clips the cosines to -1/(K-1) +- Welch's bound and goes back to rank D.
    Source: Tropp, Dhillon, Heath, Strohmer, IEEE Trans. Inf. Theory 2005, with the zero-sum
    condition added by us.

    Args:
        num_classes: K > D + 1.
        dim: D >= 1.
        seed: Of the random start; unused when ``features`` are given.
        features: (K, D) to start from, e.g. zero-shot text features; the frame stays close.
        steps: Largest number of tightening steps.
        sharpen: Number of clipping steps before them; each decomposes a (K, K) matrix.

    Returns:
        (K, D), float64, on the CPU, rows of unit norm.

    Raises:
        ValueError: If ``features`` does not have shape (K, D).

    Example:
        Six vectors in three dimensions have a root-mean-square cosine of Welch's bound.

        >>> frame = near_equiangular(6, 3)
        >>> others = (frame @ frame.T)[~torch.eye(6, dtype=torch.bool)]
        >>> round(float(others.square().mean().sqrt()), 4), round(welch_bound(6, 3), 4)
        (0.4472, 0.4472)
    """
    if features is None:
        generator = torch.Generator().manual_seed(seed)
        start = torch.randn(num_classes, dim, generator=generator, dtype=torch.float32)
    else:
        start = features.detach().cpu()
    if start.shape != (num_classes, dim):
        raise ValueError(f"features must be ({num_classes}, {dim}), got {tuple(start.shape)}")
    frame = _unit_rows(start.double() - start.double().mean(dim=0))  # (K, D)
    for _ in range(sharpen):
        frame = _unit_rows(_tighten(_clip_cosines(frame)))
    for _ in range(steps):
        tight = _tighten(frame)
        frame = _unit_rows(tight)
        if (tight.norm(dim=1) - 1).abs().max() < 1e-12:
            break
    return frame


def target_frame(features: Tensor) -> Tensor:
    """The fixed targets of the ``anchored`` forms for any K and D.

    The nearest simplex ETF where one exists, else the near-equiangular set grown from the
    features. Ours: both keep the pretrained orientation, so nothing depends on a seed.

    Args:
        features: (K, D) frozen zero-shot text features, K >= 2.

    Returns:
        (K, D), same device, float32 or float64, rows of unit norm.

    Example:
        >>> target_frame(torch.tensor([[1.0, 0.0], [1.0, 0.1]])).round().int().tolist()
        [[0, -1], [0, 1]]
        >>> target_frame(torch.eye(2).repeat(3, 1) + torch.arange(6)[:, None]).shape
        torch.Size([6, 2])
    """
    k, dim = features.shape
    if k <= dim + 1:
        return nearest_etf(features)
    dtype = torch.float64 if features.dtype == torch.float64 else torch.float32
    return near_equiangular(k, dim, features=features).to(features.device, dtype)


def _unit_rows(frame: Tensor) -> Tensor:
    norms: Tensor = frame.norm(dim=1, keepdim=True)  # (K, 1)
    return frame / norms.clamp_min(1e-12)


def _tighten(frame: Tensor) -> Tensor:
    """Nearest zero-sum tight frame: the polar factor of the centred rows, times sqrt(K/D)."""
    k, dim = frame.shape
    centred = frame - frame.mean(dim=0)  # (K, D)
    values, vectors = torch.linalg.eigh(centred.T @ centred)  # (D,), (D, D): cheaper than an SVD
    inverse_root = vectors * values.clamp_min(1e-12).rsqrt() @ vectors.T  # (D, D)
    tight: Tensor = (k / dim) ** 0.5 * centred @ inverse_root  # (K, D)
    return tight


def _clip_cosines(frame: Tensor) -> Tensor:
    """Clip the off-diagonal cosines to -1/(K-1) +- Welch, then back to D dimensions."""
    k, dim = frame.shape
    ideal, spread = -1 / (k - 1), welch_bound(k, dim)
    gram = (frame @ frame.T).clamp(ideal - spread, ideal + spread)  # (K, K)
    gram.fill_diagonal_(1)
    values, vectors = torch.linalg.eigh(gram)  # ascending
    clipped: Tensor = vectors[:, -dim:] * values[-dim:].clamp_min(0).sqrt()
    return clipped  # (K, D), up to a rotation
