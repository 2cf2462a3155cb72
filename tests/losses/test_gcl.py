"""GCL: noise, margin and the focal factor."""

import math

import pytest
import torch
import torch.nn.functional as F
from loss_cases import COUNTS, LABELS, build, ce, logits, rows_of
from tolerance import DOUBLE

from npt_plugin.losses.gcl import cloud_sizes

pytestmark = pytest.mark.numerics


def gcl_noise(shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    draw = torch.randn(shape, generator=generator, dtype=torch.float32)
    return (draw * (1 / 3)).clamp(-1, 1)


def test_matches_the_published_formula():
    z = logits()
    span = math.log(max(COUNTS)) - math.log(min(COUNTS))
    delta = [(math.log(max(COUNTS)) - math.log(c)) / span for c in COUNTS]
    total = 0.0
    for (r, y), es in zip(rows_of(z), gcl_noise(z.shape).double().tolist(), strict=True):
        clouded = [
            100 * (v / 100 - 0.25 * abs(e) * d - 0.025 * (c == y))
            for c, (v, e, d) in enumerate(zip(r, es, delta, strict=True))
        ]
        total += ce(clouded, y)
    assert build("gcl")(z, LABELS).item() == pytest.approx(total / len(LABELS), rel=DOUBLE)


def test_cloud_sizes_by_hand():
    assert cloud_sizes(torch.tensor([32, 8, 2])).tolist() == pytest.approx([0, 0.5, 1])
    assert cloud_sizes(torch.tensor([3, 3])).tolist() == [0, 0]


def test_equal_counts_leave_the_margin_only():
    z, margin = logits(), F.one_hot(LABELS, 4)
    expected = F.cross_entropy(z - 2.5 * margin, LABELS)
    assert torch.allclose(build("gcl", [7] * 4)(z, LABELS), expected)


def test_margin_and_noise_are_off_in_evaluation():
    expected = F.cross_entropy(logits(), LABELS)
    assert torch.allclose(build("gcl").eval()(logits(), LABELS), expected)


class TestGCL:
    def test_noise_has_its_own_seeded_stream(self):
        torch.manual_seed(0)
        before = torch.get_rng_state()
        a, b, c = (build("gcl", seed=s)(logits(), LABELS) for s in (0, 0, 1))
        assert torch.equal(torch.get_rng_state(), before)
        assert torch.equal(a, b) and not torch.equal(a, c)

    def test_saved_and_loaded_it_continues_identically(self):
        straight, first, second = (build("gcl") for _ in range(3))
        values = [straight(logits(), LABELS) for _ in range(4)]
        first(logits(), LABELS), first(logits(), LABELS)
        second.load_state_dict(first.state_dict())
        assert torch.equal(second(logits(), LABELS), values[2])
        assert torch.equal(second(logits(), LABELS), values[3])

    def test_mean_shift_is_a_logit_adjustment(self):
        noise = gcl_noise((200_000,)).abs().mean().item()
        assert noise == pytest.approx(0.2657, abs=2e-3)

    @pytest.mark.parametrize("certainty", [0.0, 9.0])  # losses above 1, and far below
    def test_the_focal_factor_is_constant_for_the_gradient(self, certainty):
        start = logits() + certainty * F.one_hot(LABELS, 4)
        z = start.clone().requires_grad_()
        build("gcl", [4] * 4, GCL_GAMMA=2.0)(z, LABELS).backward()
        margin = 2.5 * F.one_hot(LABELS, 4)
        x = (start - margin).requires_grad_()
        losses = F.cross_entropy(x, LABELS, reduction="none")
        ((1 - torch.exp(-losses.detach())) ** 2 * losses).mean().backward()
        torch.testing.assert_close(z.grad, x.grad, rtol=DOUBLE, atol=1e-15)
