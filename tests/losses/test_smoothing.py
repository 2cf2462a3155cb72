"""Label-aware smoothing."""

import math

import pytest
import torch
import torch.nn.functional as F
from loss_cases import COUNTS, LABELS, build, ce, logits, rows_of
from tolerance import DOUBLE

from npt_plugin.losses.smoothing import smoothing_factors

pytestmark = pytest.mark.numerics


def test_matches_the_published_formula():
    low, high, k = min(COUNTS), max(COUNTS), len(COUNTS)
    total = 0.0
    for r, y in rows_of(logits()):
        e = 0.3 * math.sin(math.pi * (COUNTS[y] - low) / (2 * (high - low)))
        total += (1 - e) * ce(r, y) + e * sum(ce(r, c) for c in range(k)) / k
    got = build("label_aware")(logits(), LABELS).item()
    assert got == pytest.approx(total / len(LABELS), rel=DOUBLE)


def test_equal_counts_are_ordinary_label_smoothing():
    z = logits()
    expected = F.cross_entropy(z, LABELS, label_smoothing=0.3)
    assert torch.allclose(build("label_aware", [7] * 4)(z, LABELS), expected)


def test_an_unknown_shape_is_named():
    with pytest.raises(ValueError, match="shape must be one of .* 'round'"):
        smoothing_factors(torch.tensor(COUNTS), 0.3, 0.1, "round")


def test_the_power_is_an_argument():
    found = smoothing_factors(torch.tensor([1, 6, 11]), 0.4, 0.0, "power", power=3.0)
    assert found.tolist() == pytest.approx([0, 0.4 / 8, 0.4])


@pytest.mark.parametrize(
    "shape, f",
    [
        ("linear", lambda t: t),
        ("convex", lambda t: 1 - math.cos(math.pi * t / 2)),
        ("power", lambda t: t**2),
        ("concave", lambda t: math.sin(math.pi * t / 2)),
    ],
)
def test_smoothing_shapes(shape, f):
    factors = build("label_aware", SMOOTH_SHAPE=shape, SMOOTH_TAIL=0.1).factors
    expected = [0.1 + 0.2 * f((n - 1) / 15) for n in COUNTS]
    assert factors.tolist() == pytest.approx(expected)
