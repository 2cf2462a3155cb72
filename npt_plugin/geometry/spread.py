"""How evenly a set of class vectors is spread, read off its Gram matrix."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from npt_plugin.geometry.features import hat


def etf_distance(gram: Tensor) -> float:
    """|| G/||G||_F - (I - 11^T/K)/sqrt(K-1) ||_F: 0 at a simplex ETF, at most 2.

    Works for a Gram of one set and for a cross-Gram of two (text against image means).
    Source: metrics NC2 and NC3 of Zhu et al. 2021, arXiv:2105.02375.

    Args:
        gram: (K, K), K >= 2.

    Returns:
        The distance; 1 for an all-zero Gram.

    Example:
        >>> round(etf_distance(torch.tensor([[1.0, -1.0], [-1.0, 1.0]])), 4)
        0.0
        >>> round(etf_distance(torch.ones(3, 3)), 4)
        1.4142
    """
    k = len(gram)
    target = (torch.eye(k, dtype=gram.dtype, device=gram.device) - 1 / k) / math.sqrt(k - 1)
    norm = torch.linalg.matrix_norm(gram)
    scaled = gram / norm if norm > 0 else gram
    return float(torch.linalg.matrix_norm(scaled - target))


def effective_rank(gram: Tensor) -> float:
    """exp of the entropy of the eigenvalues' shares: orthonormal vectors give K, equal ones 1.

    A simplex ETF of K vectors has K - 1. Source: Roy and Vetterli, EUSIPCO 2007.

    Args:
        gram: (K, K), positive semidefinite.

    Returns:
        In [1, K]; 0 for an all-zero Gram.

    Example:
        >>> round(effective_rank(torch.eye(3)), 4), round(effective_rank(torch.ones(3, 3)), 4)
        (3.0, 1.0)
    """
    values = torch.linalg.eigvalsh(gram).clamp_min(0)  # (K,)
    if values.sum() == 0:
        return 0.0
    shares = values / values.sum()
    return float(torch.exp(-torch.xlogy(shares, shares).sum()))


def off_diagonal(gram: Tensor) -> Tensor:
    """The K(K-1) entries off the diagonal.

    Args:
        gram: (K, K).

    Returns:
        (K(K-1),).

    Example:
        >>> off_diagonal(torch.tensor([[1, 2], [3, 4]])).tolist()
        [2, 3]
    """
    return gram[~torch.eye(len(gram), dtype=torch.bool, device=gram.device)]


def spread_metrics(vectors: Tensor, name: str) -> dict[str, float]:
    """NC2 of one set of class vectors: equal norms, equal angles, distance to the ETF.

    All on the vectors minus their mean.

    Args:
        vectors: (K, D), K >= 2, any norm.
        name: ``image`` or ``text``, the ending of each key.

    Returns:
        ``nc2_equinorm`` std/mean of the norms, ``nc2_equiangular`` std of the cosines over pairs,
        ``max_cosine``, ``etf_distance`` and ``effective_rank``, each with ``_name`` appended.

    Example:
        >>> found = spread_metrics(torch.eye(3), "text")  # minus their mean, a simplex ETF
        >>> round(found["max_cosine_text"], 4), round(found["effective_rank_text"], 4)
        (-0.5, 2.0)
    """
    norms = (vectors - vectors.mean(dim=0)).norm(dim=1)  # (K,)
    unit_rows = hat(vectors, center=True)  # (K, D)
    gram = unit_rows @ unit_rows.T  # (K, K)
    pairs = off_diagonal(gram)
    mean_norm = float(norms.mean())
    return {
        f"nc2_equinorm_{name}": float(norms.std(correction=0)) / mean_norm if mean_norm else 0.0,
        f"nc2_equiangular_{name}": float(pairs.std(correction=0)),
        f"max_cosine_{name}": float(pairs.max()),
        f"etf_distance_{name}": etf_distance(gram),
        f"effective_rank_{name}": effective_rank(gram),
    }
