"""What happens to features before any geometry."""

import contextlib

import pytest
import torch
import torch.nn.functional as F
from tolerance import DOUBLE

from npt_plugin.geometry.features import cosines, full_precision, hat, promote, unit

pytestmark = pytest.mark.numerics

D = 10


def test_unit_gives_degenerate_vectors_no_direction_and_no_gradient():
    x = torch.tensor([[3.0, 4.0], [1e-9, 0.0]], requires_grad=True)
    y = unit(x)
    assert torch.allclose(y.detach(), torch.tensor([[0.6, 0.8], [0.0, 0.0]]))
    y.sum().backward()
    assert x.grad[1].abs().max() == 0 and torch.isfinite(x.grad).all()


def test_hat_centres_over_classes():
    x = torch.randn(2, 5, D)
    assert hat(x, True).norm(dim=-1).sub(1).abs().max() < DOUBLE
    assert torch.allclose(hat(x + 7, True), hat(x, True), atol=DOUBLE)
    assert torch.allclose(hat(x, False), F.normalize(x, dim=-1))


def test_hat_by_hand():
    x = torch.tensor([[1.0, 0.0], [3.0, 0.0], [2.0, 6.0]])  # mean (2, 2)
    expected = torch.tensor([[-1.0, -2.0], [1.0, -2.0], [0.0, 1.0]])
    expected = expected / torch.tensor([[5.0], [5.0], [1.0]]).sqrt()
    assert torch.allclose(hat(x, True), expected, atol=DOUBLE)


def test_unit_is_right_in_value_and_gradient():
    x = torch.randn(4, D, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.allclose(unit(x), F.normalize(x, dim=-1), atol=DOUBLE)
    assert torch.autograd.gradcheck(unit, (x.requires_grad_(),))


def test_a_vector_just_above_the_threshold_keeps_its_direction():
    x = torch.zeros(2, D)
    x[0, 3], x[1, 3] = 2e-6, 5e-7  # a rounding error of centred unit vectors is below 1e-6
    assert unit(x)[0, 3] == pytest.approx(1) and not unit(x)[1].any()


def test_cosines_by_hand_and_in_batches():
    x = F.normalize(torch.tensor([[1.0, 0.0], [1.0, 1.0], [-2.0, 0.0]]), dim=1)
    half = 0.5**0.5
    expected = torch.tensor([[1, half, -1], [half, 1, -half], [-1, -half, 1]])
    assert torch.allclose(cosines(x), expected, atol=DOUBLE)
    assert torch.equal(cosines(x.expand(4, 3, 2))[2], cosines(x))


@pytest.mark.numerics(single=True)
def test_promotion_makes_float32_of_half_precision_and_of_nothing_else():
    for dtype in (torch.float16, torch.bfloat16):
        x = torch.ones(2, dtype=dtype, requires_grad=True)
        assert promote(x).dtype == torch.float32
        promote(x).sum().backward()
        assert x.grad.dtype == dtype and x.grad.tolist() == [1, 1]
    for dtype in (torch.float32, torch.float64):
        x = torch.ones(2, dtype=dtype)
        assert promote(x) is x


@pytest.mark.numerics(single=True)
def test_full_precision_switches_autocast_off_and_back_on():
    x = torch.ones(2, 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert (x @ x).dtype == torch.bfloat16
        with full_precision("cpu"):
            assert (x @ x).dtype == torch.float32
        assert (x @ x).dtype == torch.bfloat16


def test_a_device_without_autocast_needs_nothing():
    with full_precision("meta"):
        pass
    assert isinstance(full_precision("meta"), contextlib.AbstractContextManager)
