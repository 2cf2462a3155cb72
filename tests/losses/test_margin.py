"""LDAM: margins by hand."""

import pytest
import torch
import torch.nn.functional as F
from loss_cases import COUNTS, LABELS, build, ce, logits, rows_of
from tolerance import DOUBLE

from npt_plugin.losses.margin import LDAMLoss, ldam_margins

pytestmark = pytest.mark.numerics


def test_matches_the_published_formula():
    margin = [0.125 * (min(COUNTS) / c) ** 0.25 for c in COUNTS]
    expected = sum(
        ce([100 * (v / 100 - margin[c] * (c == y)) for c, v in enumerate(r)], y)
        for r, y in rows_of(logits())
    ) / len(LABELS)
    assert build("ldam")(logits(), LABELS).item() == pytest.approx(expected, rel=DOUBLE)


def test_margins_by_hand():
    assert ldam_margins(torch.tensor(COUNTS), 0.5).tolist() == pytest.approx(
        [0.25, 0.5 / 3**0.5, 0.5 / 2**0.5, 0.5]
    )
    assert ldam_margins(torch.tensor([7, 7]), 0.5).tolist() == [0.5, 0.5]


def test_equal_counts_give_one_margin():
    z, margin = logits(), F.one_hot(LABELS, 4)
    expected = F.cross_entropy(z - 12.5 * margin, LABELS)
    assert torch.allclose(build("ldam", [7] * 4)(z, LABELS), expected)


def test_it_is_off_in_evaluation():
    expected = F.cross_entropy(logits(), LABELS)
    assert torch.allclose(build("ldam").eval()(logits(), LABELS), expected)


def test_margin_and_scale_enter_as_their_product():
    z, counts = logits(), torch.tensor(COUNTS)
    one, other = LDAMLoss(counts, 0.5, 25.0), LDAMLoss(counts, 0.125, 100.0)
    assert torch.allclose(one(z, LABELS), other(z, LABELS))
