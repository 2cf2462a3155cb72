import math

import pytest
import torch

from npt_plugin.evaluation.posthoc import posthoc_adjust, tau_normalize

pytestmark = pytest.mark.numerics


def test_adjustment_by_hand():
    z = posthoc_adjust(torch.zeros(1, 2), torch.tensor([3, 1]), tau=2.0)
    assert z[0].tolist() == pytest.approx([-2 * math.log(0.75), -2 * math.log(0.25)])


def test_adjustment_of_tau_zero_and_of_equal_counts_changes_no_decision():
    z = torch.randn(20, 5)
    assert torch.equal(posthoc_adjust(z, torch.arange(1, 6), 0.0), z)
    assert torch.equal(posthoc_adjust(z, torch.full((5,), 3)).argmax(1), z.argmax(1))


def test_adjustment_recovers_the_balanced_classifier():
    # p(y|x) under prior pi, divided by pi, is p(y|x) under the uniform prior
    prior = torch.tensor([0.7, 0.2, 0.1], dtype=torch.float64)
    likelihood = torch.rand(10, 3, dtype=torch.float64)
    adjusted = posthoc_adjust((likelihood * prior).log(), torch.tensor([70, 20, 10]))
    assert torch.allclose(adjusted.softmax(1), likelihood / likelihood.sum(1, keepdim=True))


def test_adjustment_keeps_dtype_and_checks_classes():
    assert posthoc_adjust(torch.zeros(1, 2).half(), torch.tensor([3, 1])).dtype == torch.float16
    with pytest.raises(ValueError, match="3 classes"):
        posthoc_adjust(torch.zeros(1, 3), torch.tensor([3, 1]))
    with pytest.raises(ValueError, match="class 0"):
        posthoc_adjust(torch.zeros(1, 2), torch.tensor([0, 1]))


def test_tau_normalization_by_hand():
    w = torch.tensor([[3.0, 4.0], [0.0, 2.0]])
    assert torch.equal(tau_normalize(w, 0.0), w)
    assert tau_normalize(w, 1.0).norm(dim=1).tolist() == pytest.approx([1, 1])
    assert torch.allclose(tau_normalize(w, 0.5), w / torch.tensor([[5.0], [2.0]]).sqrt())
    unit = tau_normalize(w, 1.0)
    assert torch.allclose(tau_normalize(unit, 0.7), unit)
