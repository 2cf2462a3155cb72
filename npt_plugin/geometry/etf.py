"""The simplex equiangular tight frame (ETF): K unit vectors as far apart as K vectors can be.

Its Gram matrix is E: 1 on the diagonal, -1/(K-1) off it. It exists exactly when K <= D + 1.
Source: Papyan, Han, Donoho, PNAS 2020 (arXiv:2008.08186), definition 1.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def simplex_gram(
    num_classes: int, dtype: torch.dtype = torch.float32, device: torch.device | str | None = None
) -> Tensor:
    """Gram matrix E of the simplex ETF.

    Args:
        num_classes: K >= 2.
        dtype: Of the result.
        device: Of the result.

    Returns:
        (K, K), 1 on the diagonal and -1/(K-1) elsewhere.

    Raises:
        ValueError: If ``num_classes`` is below 2.

    Example:
        >>> simplex_gram(3).tolist()
        [[1.0, -0.5, -0.5], [-0.5, 1.0, -0.5], [-0.5, -0.5, 1.0]]
    """
    _need_two(num_classes)
    k = num_classes
    eye = torch.eye(k, dtype=dtype, device=device)  # (K, K)
    return eye * (k / (k - 1)) - 1 / (k - 1)


def helmert_basis(
    num_classes: int, dtype: torch.dtype = torch.float64, device: torch.device | str | None = None
) -> Tensor:
    """Orthonormal basis of the vectors whose K entries sum to 0 (Helmert's matrix, transposed).

    Args:
        num_classes: K >= 2.
        dtype: Of the result.
        device: Of the result.

    Returns:
        (K, K-1); column j-1 is (1, ..., 1, -j, 0, ..., 0) / sqrt(j(j+1)) with j ones.

    Raises:
        ValueError: If ``num_classes`` is below 2.

    Example:
        >>> (helmert_basis(3) * torch.tensor([2.0, 6.0]).sqrt()).round().int().tolist()
        [[1, 1], [-1, 1], [0, -2]]
    """
    _need_two(num_classes)
    k = num_classes
    j = torch.arange(1, k, dtype=dtype, device=device)  # (K-1,)
    ones = torch.ones(k, k - 1, dtype=dtype, device=device).triu()  # (K, K-1), rows <= column
    below = torch.diag_embed(-j, offset=-1)[:, : k - 1]  # (K, K-1), -j just below the ones
    return (ones + below) / torch.sqrt(j * (j + 1))


def simplex_etf(
    num_classes: int, dim: int, seed: int | None = None, dtype: torch.dtype = torch.float64
) -> Tensor:
    """A simplex ETF of K unit vectors in D dimensions, orientation arbitrary.

    Args:
        num_classes: K >= 2.
        dim: D >= K - 1.
        seed: Rotates the frame at random; None leaves it on the first K-1 axes.
        dtype: Of the result.

    Returns:
        (K, D) on the CPU, rows of unit norm, Gram matrix E.

    Raises:
        ValueError: If no simplex ETF exists, which is when K > D + 1.

    Example:
        Three vectors in the plane stand 120 degrees apart.

        >>> frame = simplex_etf(3, 2, seed=0)
        >>> torch.allclose(frame @ frame.T, simplex_gram(3, torch.float64))
        True
    """
    _need_room(num_classes, dim)
    k = num_classes
    frame = torch.zeros(k, dim, dtype=torch.float64)  # (K, D)
    frame[:, : k - 1] = math.sqrt(k / (k - 1)) * helmert_basis(k)
    if seed is not None:
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(dim, dim, generator=generator, dtype=torch.float32).double()
        frame = frame @ torch.linalg.qr(noise).Q  # (K, D)
    return frame.to(dtype)


def nearest_etf(features: Tensor) -> Tensor:
    """The simplex ETF nearest to given class features: keeps their orientation, fixes their angles.

    Among all M with M M^T = E, the one maximising <M, W0>, hence minimising ||M - W0||_F
    (orthogonal Procrustes). With Q the Helmert basis and the thin SVD Q^T W0 = U S V^T it is
    M = sqrt(K/(K-1)) Q U V^T. Going through Q instead of centring W0 keeps M exact when W0 has
    less than full rank (two classes with one name), where U of the centred matrix would be free
    to leave the zero-sum space.
    Source: ours; Procrustes: Schoenemann, Psychometrika 1966.

    Args:
        features: (K, D) with 2 <= K <= D + 1, any norm and float dtype; the mean over classes
            drops out.

    Returns:
        (K, D), same device, float32 or float64, rows of unit norm and zero sum over classes.

    Raises:
        ValueError: If ``features`` is not (K, D), or K > D + 1.

    Example:
        Two classes that nearly coincide are pulled to opposite ends of the line between them.

        >>> nearest_etf(torch.tensor([[1.0, 0.0], [1.0, 0.1]])).round().int().tolist()
        [[0, -1], [0, 1]]
    """
    if features.ndim != 2:
        raise ValueError(f"features must be (K, D), got shape {tuple(features.shape)}")
    k, dim = features.shape
    _need_room(k, dim)
    basis = helmert_basis(k)  # (K, K-1)
    weights = features.detach().double().cpu()  # fp64: once per run, and not every device has it
    u, _, vt = torch.linalg.svd(basis.T @ weights, full_matrices=False)  # (K-1, K-1), (K-1, D)
    frame: Tensor = math.sqrt(k / (k - 1)) * basis @ u @ vt  # (K, D)
    dtype = torch.float64 if features.dtype == torch.float64 else torch.float32
    return frame.to(device=features.device, dtype=dtype)


def welch_bound(num_classes: int, dim: int) -> float:
    """Smallest possible largest |cosine| among K unit vectors in D dimensions.

    sqrt((K-D) / (D(K-1))), 0 for K <= D. Source: Welch, IEEE Trans. Inf. Theory 1974.

    Args:
        num_classes: K >= 2.
        dim: D >= 1.

    Returns:
        The bound, in [0, 1].

    Example:
        >>> welch_bound(4, 4), round(welch_bound(1000, 512), 4)
        (0.0, 0.0309)
    """
    _need_two(num_classes)
    return math.sqrt(max(num_classes - dim, 0) / (dim * (num_classes - 1)))


def collapse_bound(num_classes: int, dim: int) -> float:
    """Smallest possible mean over k != j of (G_kj + 1/(K-1))^2 for K unit vectors in D dimensions.

    0 for K <= D + 1, else (K/D - 1 - 1/(K-1)) / (K-1): by ||G||_F^2 >= K^2/D and
    sum(G) >= 0, both with equality exactly for zero-sum unit-norm tight frames. Ours.

    Args:
        num_classes: K >= 2.
        dim: D >= 1.

    Returns:
        The lower bound of the collapse term's ``etf`` form.

    Example:
        Four vectors in the plane are best placed as a square, whose cosines are 0, 0 and -1.

        >>> collapse_bound(3, 2), round(collapse_bound(4, 2), 4)
        (0.0, 0.2222)
    """
    _need_two(num_classes)
    k = num_classes
    return max(k / dim - 1 - 1 / (k - 1), 0.0) / (k - 1)


def _need_two(num_classes: int) -> None:
    if num_classes < 2:
        raise ValueError(f"an ETF needs at least 2 classes, got {num_classes}")


def _need_room(num_classes: int, dim: int) -> None:
    _need_two(num_classes)
    if num_classes > dim + 1:
        raise ValueError(
            f"{num_classes} vectors in {dim} dimensions form no simplex ETF (K <= D + 1); "
            "use target_frame, which falls back to a near-equiangular set"
        )
