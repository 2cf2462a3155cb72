"""SigLIP's loss, class by class in plain Python."""

import math

import pytest
import torch
from loss_cases import COUNTS, LABELS, build, logits, rows_of


def test_it_is_a_sum_of_yes_and_no_over_the_classes():
    z, total = logits(), 0.0
    for row, y in rows_of(z):
        for k, value in enumerate(row):
            total += math.log1p(math.exp(-value if k == y else value))
    assert build("sigmoid")(z, LABELS).item() == pytest.approx(total / len(LABELS), rel=1e-12)


def test_it_sees_the_bias_that_softmax_does_not():
    z = logits()
    assert build("ce")(z - 10, LABELS).item() == pytest.approx(build("ce")(z, LABELS).item())
    assert build("sigmoid")(z - 10, LABELS).item() > build("sigmoid")(z, LABELS).item() + 1


def test_large_logits_stay_finite():
    z = torch.tensor([[1e4, -1e4, 0.0, 0.0]], requires_grad=True)
    loss = build("sigmoid")(z, torch.tensor([1]))
    loss.backward()
    assert loss.item() == pytest.approx(2e4 + 2 * math.log(2)) and torch.isfinite(z.grad).all()


def test_cosines_without_a_bias_are_said(capsys):
    build("sigmoid", head_scale=100.0)
    assert "NAME sigmoid on logits without a bias" in capsys.readouterr().out
    assert build("sigmoid", head_scale=None).num_classes == len(COUNTS)
    assert not capsys.readouterr().out
