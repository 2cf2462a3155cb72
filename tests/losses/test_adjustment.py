"""Logit adjustment: the prior inside the softmax."""

import math

import pytest
import torch
import torch.nn.functional as F
from loss_cases import COUNTS, LABELS, build, ce, logits, rows_of
from tolerance import DOUBLE

pytestmark = pytest.mark.numerics


@pytest.mark.parametrize("name", ["balanced_softmax", "logit_adjustment"])
def test_matches_the_published_formula(name):
    prior = [c / sum(COUNTS) for c in COUNTS]
    expected = sum(
        ce([v + math.log(p) for v, p in zip(r, prior, strict=True)], y)
        for r, y in rows_of(logits())
    ) / len(LABELS)
    assert build(name)(logits(), LABELS).item() == pytest.approx(expected, rel=DOUBLE)


@pytest.mark.parametrize("tau", [0.0, 0.5, 2.0])
def test_tau_scales_the_adjustment(tau):
    z = logits()
    shift = tau * (torch.tensor(COUNTS).double() / sum(COUNTS)).log()
    expected = F.cross_entropy(z + shift, LABELS)
    assert torch.allclose(build("logit_adjustment", TAU=tau)(z, LABELS), expected)


def test_balanced_softmax_does_not_read_tau():
    plain, other = build("balanced_softmax"), build("balanced_softmax", TAU=5.0)
    assert torch.equal(plain(logits(), LABELS), other(logits(), LABELS))


def test_logit_adjustment_favours_rare_classes_by_tau():
    z = torch.zeros(1, 4).requires_grad_()
    build("logit_adjustment", TAU=2.0)(z, torch.tensor([0])).backward()
    expected = torch.softmax(2 * torch.tensor(COUNTS).float().log(), 0)
    expected[0] -= 1
    assert torch.allclose(z.grad[0], expected)
