"""Averaged weights against the recursion by hand."""

import pytest
import torch
from torch import nn

from npt_plugin.optim.averaged import AveragedWeights


def test_it_is_the_recursion_with_its_ramp():
    weight = nn.Parameter(torch.tensor([1.0, -2.0], dtype=torch.float64))
    average, expected = AveragedWeights([weight], 0.5), [1.0, -2.0]
    for step in range(1, 12):
        weight.data += 0.3
        average.update()
        d = min(0.5, (1 + step) / (10 + step))
        expected = [d * e + (1 - d) * w for e, w in zip(expected, weight.tolist(), strict=True)]
    assert average.averages[0].tolist() == pytest.approx(expected, rel=1e-12)


def test_inside_the_weights_are_averages_and_come_back_whatever_happens():
    weight = nn.Parameter(torch.randn(3))
    average = AveragedWeights([weight], 0.9)
    weight.data += 1
    average.update()
    before = weight.detach().clone()
    with pytest.raises(KeyError), average.in_place():
        assert torch.equal(weight, average.averages[0]) and not torch.equal(weight, before)
        raise KeyError
    assert torch.equal(weight, before)


def test_a_saved_one_goes_on():
    weights = [nn.Parameter(torch.randn(3)) for _ in range(2)]
    whole, cut = AveragedWeights(weights, 0.9), AveragedWeights(weights, 0.9)
    for average in (whole, cut):
        average.update()
    again = AveragedWeights([nn.Parameter(torch.zeros(3)) for _ in range(2)], 0.9)
    again.load_state_dict(cut.state_dict())
    again.weights = weights
    for weight in weights:
        weight.data += 1
    for average in (whole, again):
        average.update()
    assert all(map(torch.equal, whole.averages, again.averages))
