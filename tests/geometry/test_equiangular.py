import pytest
import torch
from tolerance import DOUBLE, SINGLE

from npt_plugin.geometry import collapse_bound, near_equiangular, target_frame, welch_bound

pytestmark = pytest.mark.numerics

D = 12


def mean_excess(frame):
    k = len(frame)
    total = 0.0
    for i in range(k):
        for j in range(k):
            if i != j:
                total += (float(frame[i] @ frame[j]) + 1 / (k - 1)) ** 2
    return total / (k * (k - 1))


@pytest.mark.parametrize("k", [D + 2, 2 * D, 3 * D + 1])
def test_frame_attains_the_collapse_bound(k):
    frame = near_equiangular(k, D, seed=0, steps=1000)  # K = D + 2 is slow to converge
    assert frame.norm(dim=1).sub(1).abs().max() < 1e-12
    assert mean_excess(frame) == pytest.approx(collapse_bound(k, D), rel=DOUBLE)
    gram = frame @ frame.T
    rms = gram[~torch.eye(k, dtype=torch.bool)].square().mean().sqrt()
    assert float(rms) == pytest.approx(welch_bound(k, D), rel=DOUBLE)


def test_nothing_goes_below_the_bound():
    for seed in range(4):
        random = torch.nn.functional.normalize(torch.randn(20, D).double(), dim=1)
        assert mean_excess(random) > collapse_bound(20, D)
        assert mean_excess(near_equiangular(20, D, seed)) >= collapse_bound(20, D) - 1e-12


def test_sharpening_lowers_the_largest_cosine():
    def largest(frame):
        return float((frame @ frame.T - torch.eye(len(frame))).abs().max())

    plain, sharp = near_equiangular(40, D, 0), near_equiangular(40, D, 0, sharpen=20)
    assert welch_bound(40, D) <= largest(sharp) < 0.8 * largest(plain)


def test_target_frame_stays_near_the_features_and_needs_no_seed():
    torch.manual_seed(0)
    base = torch.nn.functional.normalize(torch.randn(30, D, dtype=torch.float32), dim=1)
    target = target_frame(base)
    assert target.dtype == torch.float32 and torch.equal(target, target_frame(base))
    own = (torch.nn.functional.normalize(base - base.mean(0), dim=1) * target).sum(1)
    assert float(own.mean()) > 0.9
    # unit rows rounded once to float32, each entry by at most u of itself
    assert (target.double().norm(dim=1) - 1).abs().max() < 1.01 * SINGLE


def test_seed_zero_is_a_seed_and_shapes_are_checked():
    assert torch.equal(near_equiangular(15, D, 0), near_equiangular(15, D, 0))
    assert not torch.equal(near_equiangular(15, D, 0), near_equiangular(15, D, 1))
    with pytest.raises(ValueError, match="must be"):
        near_equiangular(15, D, features=torch.randn(14, D))
