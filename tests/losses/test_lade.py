"""LADE: the estimator image by image."""

import math

import pytest
import torch
from loss_cases import COUNTS, LABELS, build, ce, logits, rows_of
from tolerance import DOUBLE

from npt_plugin.losses.lade import LADELoss

pytestmark = pytest.mark.numerics


def estimator(z, lam=0.1):
    """L_est from its definition, in plain Python."""
    rows, k = rows_of(z), len(COUNTS)
    prior = [c / sum(COUNTS) for c in COUNTS]
    total = 0.0
    for c in range(k):
        own = [r[c] for r, y in rows if y == c]
        a = sum(own) / len(own) if own else 0.0
        b = math.log(sum(math.exp(r[c]) / prior[c] / k for r, _ in rows) / len(rows))
        total -= prior[c] * (a - b - lam * b**2)
    return total


def test_matches_the_published_formula():
    z = logits()
    prior = [c / sum(COUNTS) for c in COUNTS]
    adjusted = sum(
        ce([v + math.log(p) for v, p in zip(r, prior, strict=True)], y) for r, y in rows_of(z)
    ) / len(LABELS)
    expected = adjusted + 0.1 * estimator(z)
    assert build("lade")(z, LABELS).item() == pytest.approx(expected, rel=DOUBLE)


def test_both_weights_count():
    z, counts = logits(), torch.tensor(COUNTS)
    term = LADELoss(counts, alpha=0.7, lam=0.3).batch_term(z, LABELS)
    # the prior is stored in float32 (half a unit of 2^-24), a logarithm of at most log 30
    assert term.item() == pytest.approx(0.7 * estimator(z, 0.3), rel=1e-6)


def test_without_the_estimator_it_is_the_balanced_softmax():
    z = logits()
    plain = build("lade", LADE_ALPHA=0.0)(z, LABELS)
    assert torch.allclose(plain, build("balanced_softmax")(z, LABELS))


def test_the_estimator_is_not_reweighted():
    z = logits()
    loss = build("lade", DRW_EPOCH=0, DRW_BETA=0.9)
    before = loss(z, LABELS) - build("balanced_softmax")(z, LABELS)
    loss.set_epoch(1)
    weighted = build("balanced_softmax", DRW_EPOCH=0, DRW_BETA=0.9)
    weighted.set_epoch(1)
    assert torch.allclose(loss(z, LABELS) - weighted(z, LABELS), before)
