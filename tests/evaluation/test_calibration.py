"""The temperature is the minimum, whatever the scale of the logits."""

import pytest
import torch

from npt_plugin.evaluation.calibration import HIGHEST, LOWEST, fit_temperature


def sample(seed=0):
    torch.manual_seed(seed)
    labels = torch.randint(5, (400,))
    return 2 * torch.randn(400, 5, dtype=torch.float64) + 3 * torch.eye(5)[labels], labels


def test_the_temperature_is_the_minimum():
    logits, labels = sample()
    best = fit_temperature(logits * 4, labels)

    def loss(t):
        return torch.nn.functional.cross_entropy(logits * 4 / t, labels).item()

    assert min(loss(0.99 * best), loss(1.01 * best)) > loss(best)
    assert fit_temperature(logits * 8, labels) == pytest.approx(2 * best, rel=1e-6)


def test_its_gradient_vanishes_at_the_minimum():
    """d CE / d(1/T) = mean(sum_k p_k z_k - z_y): the fit does not use it."""
    logits, labels = sample(1)
    scaled = logits / fit_temperature(logits, labels)
    expected = (scaled.softmax(1) * logits).sum(1) - logits[torch.arange(len(labels)), labels]
    assert expected.mean().item() == pytest.approx(0, abs=1e-6)


def test_perfect_and_useless_logits_end_at_the_bounds():
    labels = torch.tensor([0, 1])
    assert fit_temperature(torch.eye(2), labels) == pytest.approx(LOWEST, rel=1e-3)
    assert fit_temperature(-torch.eye(2), labels) == pytest.approx(HIGHEST, rel=1e-3)
