"""Class weights by hand, and the cross-entropy they weigh."""

import pytest
import torch
from loss_cases import COUNTS, LABELS, build, ce, logits, rows_of
from tolerance import DOUBLE

from npt_plugin.losses.weighting import (
    effective_number_weights,
    inverse_frequency_weights,
    power_weights,
)

pytestmark = pytest.mark.numerics


@pytest.mark.parametrize("name", ["cbw", "cb", "grw"])
def test_matches_the_published_formula(name):
    n, k = sum(COUNTS), len(COUNTS)
    weight = {
        "cbw": [n / (k * c) for c in COUNTS],
        "cb": [(1 - 0.9999) / (1 - 0.9999**c) for c in COUNTS],
        "grw": [(c / n) ** -1.2 for c in COUNTS],
    }[name]
    rows = rows_of(logits())
    expected = sum(weight[y] * ce(r, y) for r, y in rows) / sum(weight[y] for _, y in rows)
    assert build(name)(logits(), LABELS).item() == pytest.approx(expected, rel=DOUBLE)


@pytest.mark.parametrize(
    "weights",
    [
        inverse_frequency_weights,
        lambda n: effective_number_weights(n, 0.999),
        lambda n: power_weights(n, 1.2),
    ],
)
def test_rarer_classes_weigh_more_and_equal_ones_the_same(weights):
    found = weights(torch.tensor(COUNTS))
    assert found.dtype == torch.float64 and (found.diff() > 0).all()  # counts fall
    assert weights(torch.tensor([5, 5, 5])).tolist() == pytest.approx([1, 1, 1])


def test_beta_near_one_is_the_inverse_frequency():
    n = torch.tensor(COUNTS)
    inverse = inverse_frequency_weights(n)
    near = effective_number_weights(n, 1 - 1e-7)
    torch.testing.assert_close(near, inverse * (len(n) / inverse.sum()), rtol=1e-5, atol=0)


def test_weights_by_hand():
    n = torch.tensor([8, 2])
    assert inverse_frequency_weights(n).tolist() == [10 / 16, 10 / 4]
    assert power_weights(n, 1.0).tolist() == pytest.approx([0.4, 1.6])
    assert power_weights(n, 0.0).tolist() == [1, 1]
    assert effective_number_weights(n, 0.0).tolist() == [1, 1]
    w = effective_number_weights(torch.tensor([3, 1]), 0.5)  # 1/1.75 : 1
    assert w.tolist() == pytest.approx([2 * 4 / 11, 2 * 7 / 11])
    # the tail and head weights of CIFAR100-LT at imbalance 100, beta 0.9998
    cifar = torch.tensor([int(500 * 0.01 ** (i / 99)) for i in range(100)])
    w = effective_number_weights(cifar, 0.9998)
    assert float(w[0]) == pytest.approx(0.046, abs=5e-4)
    assert float(w[-1]) == pytest.approx(4.37, abs=5e-3)
    with pytest.raises(ValueError, match="beta"):
        effective_number_weights(n, 1.0)
