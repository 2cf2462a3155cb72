"""What every loss shares: weights, deferred re-weighting, precision; cross-entropy, focal."""

import math

import pytest
import torch
import torch.nn.functional as F
from loss_cases import COUNTS, DRW_ABLE, LABELS, build, ce, logits, rows_of
from tolerance import DOUBLE

from npt_plugin.errors import UserError
from npt_plugin.losses.classification import ClassificationLoss, CrossEntropyLoss, Weighting, focal

pytestmark = pytest.mark.numerics


def test_cross_entropy_and_focal_match_their_formulas():
    losses = [ce(r, y) for r, y in rows_of(logits())]
    plain = sum(losses) / len(losses)
    focused = sum((1 - math.exp(-v)) ** 2 * v for v in losses) / len(losses)
    assert build("ce")(logits(), LABELS).item() == pytest.approx(plain, rel=DOUBLE)
    assert build("focal")(logits(), LABELS).item() == pytest.approx(focused, rel=DOUBLE)


def test_focal_by_hand_and_without_a_cliff_at_certainty():
    losses = torch.tensor([0.0, math.log(2), 800.0], dtype=torch.float64, requires_grad=True)
    assert focal(losses, 0.0) is losses
    value = focal(losses, 1.0)
    assert value.tolist() == pytest.approx([0, math.log(2) / 2, 800])
    focal(losses, 0.5).sum().backward()  # below 1 the power's slope at 0 is infinite
    assert torch.isfinite(losses.grad).all()


def test_batch_term_is_added_to_the_mean():
    class WithTerm(ClassificationLoss):
        def batch_term(self, logits, labels):
            return logits.sum()

    z = logits()
    assert torch.allclose(
        WithTerm(torch.tensor(COUNTS))(z, LABELS), F.cross_entropy(z, LABELS) + z.sum()
    )


def test_two_kinds_of_weights_exclude_each_other():
    with pytest.raises(ValueError, match="exclude each other"):
        CrossEntropyLoss(torch.tensor(COUNTS), Weighting(torch.ones(4), drw_epoch=3))


@pytest.mark.parametrize("shape", [(5, 3), (5, 5), (4,), (1, 5, 4)])
@pytest.mark.parametrize("name", ["ce", "focal"])
def test_logits_of_another_shape_are_refused(name, shape):
    with pytest.raises(ValueError, match=r"logits must be \(B, 4\)"):
        build(name)(torch.zeros(shape), LABELS)


def test_a_new_loss_stands_in_epoch_zero():
    loss = build("ce", DRW_EPOCH=0, DRW_BETA=0.9)
    assert torch.equal(loss(logits(), LABELS), F.cross_entropy(logits(), LABELS))


def test_autocast_does_not_reach_a_loss():
    z = logits(dtype=torch.float32)
    expected = build("focal")(z, LABELS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(build("focal")(z, LABELS), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_ce_is_bit_identical(dtype):
    z = logits(dtype=dtype)
    a, b = z.clone().requires_grad_(), z.clone().requires_grad_()
    ours, theirs = build("ce")(a, LABELS), F.cross_entropy(b, LABELS)
    ours.backward()
    theirs.backward()
    assert ours.dtype == theirs.dtype and torch.equal(ours, theirs) and torch.equal(a.grad, b.grad)


class TestDeferredReweighting:
    @pytest.mark.parametrize("name", DRW_ABLE)
    def test_off_up_to_its_epoch_and_on_after(self, name):
        z = logits()
        plain = build(name)(z, LABELS)
        for epoch, same in [(0, True), (3, True), (4, False), (9, False)]:
            loss = build(name, DRW_EPOCH=3, DRW_BETA=0.9)
            loss.set_epoch(epoch)
            assert torch.equal(loss(z, LABELS), plain) is same, epoch

    def test_value_is_torch_weighted_cross_entropy(self):
        loss = build("ce", DRW_EPOCH=0, DRW_BETA=0.9)
        loss.set_epoch(1)
        weight = torch.tensor([(1 - 0.9) / (1 - 0.9**n) for n in COUNTS])
        expected = F.cross_entropy(logits(), LABELS, weight=weight)
        assert torch.allclose(loss(logits(), LABELS), expected)

    @pytest.mark.parametrize("name", ["cbw", "cb", "grw"])
    def test_refused_where_weights_are_on_already(self, name):
        with pytest.raises(UserError, match="DRW_EPOCH"):
            build(name, DRW_EPOCH=2)


def test_a_batch_of_one_keeps_its_weight():
    z = torch.zeros(1, 4)
    loss = build("cbw")
    rare, common = loss(z, torch.tensor([3])).item(), loss(z, torch.tensor([0])).item()
    assert rare / common == pytest.approx(16)
    mean = sum(n * loss(z, torch.tensor([c])).item() for c, n in enumerate(COUNTS)) / sum(COUNTS)
    assert mean == pytest.approx(math.log(4))
