"""Measures of spread in closed form, and what leaves them as they are."""

import math

import pytest
import torch
from tolerance import DOUBLE

from npt_plugin.geometry import simplex_etf, simplex_gram
from npt_plugin.geometry.spread import effective_rank, etf_distance, off_diagonal, spread_metrics

pytestmark = pytest.mark.numerics

D = 10


@pytest.mark.parametrize("k", [3, D])
def test_orthonormal_frame_and_cone_in_closed_form(k):
    eye = torch.eye(k, dtype=torch.float64)
    assert effective_rank(eye) == pytest.approx(k)
    # <I/sqrt(K), (I - 11^T/K)/sqrt(K-1)> = sqrt((K-1)/K), both of norm 1
    assert etf_distance(eye) == pytest.approx(math.sqrt(2 - 2 * math.sqrt((k - 1) / k)))
    cone = torch.ones(k, k, dtype=torch.float64)
    assert effective_rank(cone) == pytest.approx(1)
    assert etf_distance(cone) == pytest.approx(math.sqrt(2))


def test_the_distance_sees_neither_scale_nor_class_order_and_is_at_most_two():
    torch.manual_seed(0)
    gram = torch.randn(5, 5, dtype=torch.float64)
    order = torch.randperm(5)
    assert etf_distance(3 * gram[order][:, order]) == pytest.approx(etf_distance(gram))
    assert etf_distance(-simplex_gram(5, torch.float64)) == pytest.approx(2)
    assert etf_distance(simplex_gram(5, torch.float64)) == pytest.approx(0, abs=DOUBLE)
    assert etf_distance(torch.zeros(5, 5, dtype=torch.float64)) == pytest.approx(1)


def test_effective_rank_between_its_bounds_by_hand():
    # eigenvalues 3, 1: shares 3/4, 1/4
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    gram = torch.diag(torch.tensor([3.0, 1.0], dtype=torch.float64))
    assert effective_rank(gram) == pytest.approx(math.exp(entropy))
    assert effective_rank(simplex_gram(6, torch.float64)) == pytest.approx(5)
    assert effective_rank(torch.zeros(3, 3, dtype=torch.float64)) == 0


def test_off_diagonal_entries_in_order():
    gram = torch.tensor([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    assert off_diagonal(gram).tolist() == [2, 3, 4, 6, 7, 8]


def test_metrics_of_an_etf_with_one_longer_vector_and_an_offset():
    etf = simplex_etf(4, D, seed=0)
    found = spread_metrics(etf + 5.0, "text")
    assert found["nc2_equinorm_text"] == pytest.approx(0, abs=DOUBLE)
    assert found["nc2_equiangular_text"] == pytest.approx(0, abs=DOUBLE)
    assert found["max_cosine_text"] == pytest.approx(-1 / 3)
    assert found["etf_distance_text"] == pytest.approx(0, abs=DOUBLE)
    assert found["effective_rank_text"] == pytest.approx(3)
    etf[0] *= 2
    assert spread_metrics(etf, "image")["nc2_equinorm_image"] > 0.1


def test_metrics_on_a_line_by_hand():
    """Norms 3, 1, 2 about their mean; cosines -1, -1 and 1."""
    vectors = torch.tensor([[13.0], [9.0], [8.0]], dtype=torch.float64)
    found = spread_metrics(vectors, "text")
    assert found["nc2_equinorm_text"] == pytest.approx(math.sqrt(2 / 3) / 2)
    assert found["nc2_equiangular_text"] == pytest.approx(math.sqrt(8 / 9))
    assert found["max_cosine_text"] == pytest.approx(1)
    assert found["effective_rank_text"] == pytest.approx(1)


def test_metrics_of_equal_vectors_are_finite():
    found = spread_metrics(torch.ones(3, D, dtype=torch.float64), "image")
    assert found["nc2_equinorm_image"] == 0 and all(map(math.isfinite, found.values()))
