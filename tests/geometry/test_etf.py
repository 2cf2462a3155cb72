import math

import pytest
import torch
from tolerance import SINGLE

from npt_plugin.geometry import (
    collapse_bound,
    nearest_etf,
    simplex_etf,
    simplex_gram,
    target_frame,
    welch_bound,
)
from npt_plugin.geometry.etf import helmert_basis

pytestmark = pytest.mark.numerics

D = 12


def gram_by_hand(k):
    return [[1.0 if i == j else -1 / (k - 1) for j in range(k)] for i in range(k)]


def assert_etf_rounded_once(m):
    """Unit rows computed in float64 and rounded once: each moves by at most u, a product by 2 u."""
    assert m.dtype == torch.float32
    gram = m.double() @ m.double().T
    assert (gram - simplex_gram(len(m), torch.float64)).abs().max() < 2.01 * SINGLE


@pytest.mark.parametrize("k", [2, 3, D, D + 1])
@pytest.mark.parametrize("seed", [None, 0, 7])
def test_simplex_etf_has_the_gram_of_its_definition(k, seed):
    m = simplex_etf(k, D, seed)
    expected = torch.tensor(gram_by_hand(k), dtype=torch.float64)
    assert m.shape == (k, D)
    assert (m @ m.T - expected).abs().max() < 1e-12
    assert (simplex_gram(k, torch.float64) - expected).abs().max() < 1e-15
    assert m.sum(dim=0).abs().max() < 1e-12


@pytest.mark.parametrize("k", [D + 2, 2 * D])
def test_no_simplex_etf_beyond_d_plus_one(k):
    with pytest.raises(ValueError, match="K <= D \\+ 1"):
        simplex_etf(k, D)
    with pytest.raises(ValueError, match="K <= D \\+ 1"):
        nearest_etf(torch.randn(k, D))


@pytest.mark.parametrize("call", [lambda: simplex_gram(1), lambda: simplex_etf(1, 3)])
def test_one_class_is_refused(call):
    with pytest.raises(ValueError, match="at least 2"):
        call()


def test_seed_rotates_and_is_repeatable():
    assert torch.equal(simplex_etf(5, D, 0), simplex_etf(5, D, 0))
    assert not torch.allclose(simplex_etf(5, D, 0), simplex_etf(5, D, 1))


@pytest.mark.parametrize("k", [2, 3, 9])
def test_helmert_basis_is_orthonormal_and_sums_to_zero(k):
    q = helmert_basis(k)
    assert (q.T @ q - torch.eye(k - 1, dtype=torch.float64)).abs().max() < 1e-14
    assert q.sum(dim=0).abs().max() < 1e-14


@pytest.mark.parametrize("k", [2, 5, D, D + 1])
def test_nearest_etf_is_an_etf_and_nearer_than_random_rotations(k):
    torch.manual_seed(k)
    w = torch.randn(k, D, dtype=torch.float64) + 3  # a common offset, as CLIP's cone has
    m = nearest_etf(w)
    assert (m @ m.T - torch.tensor(gram_by_hand(k), dtype=torch.float64)).abs().max() < 1e-12
    best = (w - m).norm()
    for seed in range(50):
        assert best <= (w - simplex_etf(k, D, seed)).norm() + 1e-12
    for seed in range(20):  # and than its own small rotations, the harder test
        turn = torch.randn(D, D, generator=torch.Generator().manual_seed(seed)).double() * 0.05
        rotation = torch.matrix_exp(turn - turn.T)
        assert best <= (w - m @ rotation).norm() + 1e-12


def test_nearest_etf_matches_the_svd_formula():
    torch.manual_seed(0)
    k = 6
    w = torch.randn(k, D, dtype=torch.float64)
    u, s, vt = torch.linalg.svd(w - w.mean(0), full_matrices=False)
    expected = math.sqrt(k / (k - 1)) * u[:, : k - 1] @ vt[: k - 1]
    assert (nearest_etf(w) - expected).abs().max() < 1e-10


def test_nearest_etf_keeps_an_etf_and_survives_two_equal_classes():
    etf = simplex_etf(5, D, 3)
    assert (nearest_etf(etf * 0.2 + 1) - etf).abs().max() < 1e-12
    w = torch.randn(5, D, dtype=torch.float32)
    w[1] = w[0]
    assert_etf_rounded_once(nearest_etf(w))


@pytest.mark.numerics(single=True)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_features_give_float32_targets(dtype):
    assert_etf_rounded_once(nearest_etf(torch.randn(4, D).to(dtype)))


def test_welch_bound_and_collapse_bound_by_hand():
    assert welch_bound(4, 4) == 0
    assert welch_bound(6, 3) == pytest.approx(math.sqrt(3 / 15))  # icosahedron: 1/sqrt(5)
    assert welch_bound(1000, 512) == pytest.approx(0.030888, abs=1e-6)
    assert collapse_bound(D + 1, D) == pytest.approx(0, abs=1e-15)
    # 4 vectors in the plane, a square: cosines 0, 0, -1; target -1/3
    square = (2 * (1 / 3) ** 2 + (2 / 3) ** 2) / 3
    assert collapse_bound(4, 2) == pytest.approx(square)


@pytest.mark.parametrize("k", [2, D + 1])
def test_target_frame_is_the_nearest_etf_where_there_is_one(k):
    w = torch.randn(k, D, dtype=torch.float64)
    assert torch.equal(target_frame(w), nearest_etf(w))
