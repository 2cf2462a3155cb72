import math

import pytest
import torch
import torch.nn.functional as F
from tolerance import DOUBLE

from npt_plugin.geometry import collapse_bound, near_equiangular, nearest_etf, simplex_etf
from npt_plugin.losses.collapse import COLLAPSE_FORMS, CollapseLoss, debias_weights

pytestmark = pytest.mark.numerics

D = 8
NO_IMAGES, NO_LABELS = torch.zeros(0, D), torch.zeros(0, dtype=torch.long)


def lc(text, form="etf", **kwargs):
    return CollapseLoss(form, **kwargs)(NO_IMAGES, text, NO_LABELS)


def make(form, text, center=False, temperature=0.1):
    targets = {"anchored": nearest_etf, "zero_shot": lambda text: F.normalize(text, dim=-1)}
    target = targets[form](text) if form in targets else None
    return CollapseLoss(form, center, temperature, target)


def reference(text, form, center, temperature=0.1, target=None):
    """Pair by pair, in plain Python numbers."""
    k = len(text)
    rows = [row.double() for row in text]
    if center:
        middle = sum(rows) / k
        rows = [row - middle for row in rows]
    rows = [row / row.norm() for row in rows]
    g = [[float(a @ b) for b in rows] for a in rows]
    others = [(i, j) for i in range(k) for j in range(k) if i != j]
    if form == "etf":
        return sum((g[i][j] + 1 / (k - 1)) ** 2 for i, j in others) / len(others)
    if form == "nc2":
        norm = math.sqrt(sum(x * x for row in g for x in row))
        return sum(
            (g[i][j] / norm - ((i == j) - 1 / k) / math.sqrt(k - 1)) ** 2
            for i in range(k)
            for j in range(k)
        )
    if form == "max_angle":
        return (
            sum(
                temperature
                * math.log(sum(math.exp(g[i][j] / temperature) for j in range(k) if j != i))
                for i in range(k)
            )
            / k
        )
    return 1 - sum(float(a @ b.double()) for a, b in zip(rows, target, strict=True)) / k


@pytest.mark.parametrize("k", [2, D, D + 1])
@pytest.mark.parametrize("form", ["etf", "nc2", "anchored"])
@pytest.mark.parametrize("center", [False, True])
def test_zero_on_an_exact_etf(k, form, center):
    etf = simplex_etf(k, D, seed=1)
    assert make(form, etf, center)(NO_IMAGES, etf, NO_LABELS).abs() < 1e-12


@pytest.mark.parametrize("k", [D + 2, 2 * D])
def test_bound_is_reached_beyond_d_plus_one(k):
    frame = near_equiangular(k, D, steps=1000)
    assert float(lc(frame)) == pytest.approx(collapse_bound(k, D), rel=DOUBLE)


def test_hand_values():
    cone = torch.ones(4, D)  # all cosines 1
    assert float(lc(cone)) == pytest.approx((4 / 3) ** 2, rel=DOUBLE)
    assert float(lc(cone, "nc2")) == pytest.approx(2, rel=DOUBLE)
    assert float(lc(cone, "max_angle", temperature=0.5)) == pytest.approx(
        1 + 0.5 * math.log(3), rel=DOUBLE
    )
    eye = torch.eye(4, D)  # all cosines 0
    assert float(lc(eye)) == pytest.approx(1 / 9, rel=DOUBLE)
    assert float(lc(eye, "nc2")) == pytest.approx(2 - 2 * math.sqrt(3 / 4), rel=DOUBLE)
    assert float(lc(eye, "max_angle")) == pytest.approx(0.1 * math.log(3), rel=DOUBLE)
    assert float(lc(eye, center=True)) == pytest.approx(0, abs=1e-12)  # centred, it is the ETF
    assert float(lc(eye, "anchored", target=-eye)) == pytest.approx(2)
    assert float(lc(torch.ones(2, D))) == pytest.approx(4, rel=DOUBLE)  # (1 + 1/(2-1))^2


@pytest.mark.parametrize("form", COLLAPSE_FORMS)
@pytest.mark.parametrize("center", [False, True])
@pytest.mark.parametrize("k", [2, 5])
def test_matches_the_slow_reference(form, center, k):
    torch.manual_seed(k)
    text = torch.randn(k, D) + 0.5
    loss = make(form, torch.randn(k, D), center)
    expected = reference(text, form, center, target=loss.target)
    value = float(loss(NO_IMAGES, text, NO_LABELS))
    assert value == pytest.approx(expected, rel=DOUBLE, abs=DOUBLE)


@pytest.mark.parametrize("form", COLLAPSE_FORMS)
def test_image_conditional_text_is_averaged_over_images(form):
    torch.manual_seed(0)
    loss = make(form, torch.randn(5, D), True)
    text = torch.randn(3, 5, D)
    each = [loss(NO_IMAGES, text[b], NO_LABELS) for b in range(3)]
    assert torch.allclose(loss(NO_IMAGES, text, NO_LABELS), sum(each) / 3, atol=DOUBLE)


@pytest.mark.parametrize("form", COLLAPSE_FORMS)
@pytest.mark.parametrize("center", [False, True])
@pytest.mark.parametrize("k", [2, 4])
def test_gradient_is_right_and_lowers_the_loss(form, center, k):
    torch.manual_seed(1)
    loss = make(form, torch.randn(k, D).double(), center)
    text = torch.randn(k, D, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda t: loss(NO_IMAGES, t, NO_LABELS), (text,))
    value = loss(NO_IMAGES, text, NO_LABELS)
    value.backward()
    after = loss(NO_IMAGES, text - 0.05 * text.grad, NO_LABELS)
    # two centred classes are opposite whatever they are: nothing left to lower
    settled = center and k == 2 and form not in ("anchored", "zero_shot")
    assert (value - after).abs() < 1e-12 if settled else after < value


@pytest.mark.numerics(single=True)
@pytest.mark.parametrize("form", COLLAPSE_FORMS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_computes_in_float32(form, dtype):
    torch.manual_seed(2)
    text = torch.randn(6, D).to(dtype)
    loss = make(form, torch.randn(6, D))
    value = loss(NO_IMAGES, text, NO_LABELS)
    assert value.dtype == torch.float32
    assert torch.equal(value, loss(NO_IMAGES, text.float(), NO_LABELS))


@pytest.mark.parametrize("form", COLLAPSE_FORMS)
def test_invariant_to_scale_rotation_and_class_order(form):
    torch.manual_seed(4)
    text, start = torch.randn(5, D).double(), torch.randn(5, D).double()
    rotation = torch.linalg.qr(torch.randn(D, D).double()).Q
    order = torch.randperm(5)
    value = make(form, start)(NO_IMAGES, text, NO_LABELS)
    turned = make(form, (start @ rotation)[order])
    moved = turned(NO_IMAGES, 3 * (text @ rotation)[order], NO_LABELS)
    assert torch.allclose(value, moved, atol=1e-10)


@pytest.mark.parametrize("form", COLLAPSE_FORMS)
def test_one_class_is_a_zero_with_a_graph(form):
    text = torch.randn(1, D, requires_grad=True)
    target = torch.randn(1, D) if form in ("anchored", "zero_shot") else None
    value = CollapseLoss(form, target=target)(NO_IMAGES, text, NO_LABELS)
    value.backward()
    assert value.item() == 0 and text.grad.abs().max() == 0


def test_two_equal_class_names_keep_the_gradient_finite():
    text = torch.ones(2, D, requires_grad=True)
    lc(text, center=True).backward()
    assert torch.isfinite(text.grad).all()


def test_max_angle_tends_to_the_largest_cosine():
    text = torch.nn.functional.normalize(torch.randn(6, D), dim=1)
    gram = text @ text.T - 9 * torch.eye(6)
    assert float(lc(text, "max_angle", temperature=1e-3)) == pytest.approx(
        float(gram.max(dim=1).values.mean()), abs=0.003
    )


class TestDebiasing:
    counts = torch.tensor([16, 4, 1])

    def test_weights_by_hand(self):
        # rarity^0.5 = 1, 2, 4: pairs 2, 4, 8, mean 14/3
        w = debias_weights(self.counts, 0.5)
        expected = torch.tensor([[0, 2, 4], [2, 0, 8], [4, 8, 0]]) * 3 / 14
        assert torch.allclose(w, expected)
        assert float(w.sum()) / 6 == pytest.approx(1)

    def test_gamma_zero_and_equal_counts_are_plain_collapse(self):
        text = torch.randn(3, D)
        for weights in (debias_weights(self.counts, 0.0), debias_weights(torch.full((3,), 5), 2)):
            assert torch.allclose(lc(text, pair_weights=weights), lc(text))

    def test_value_by_hand_and_rare_pairs_count_most(self):
        w = debias_weights(self.counts, 0.5)
        text = torch.eye(3, D)  # every pair off by (1/2)^2
        assert float(lc(text, pair_weights=w)) == pytest.approx(0.25)
        rare = torch.eye(3, D)
        rare[1] = rare[2]
        common = torch.eye(3, D)
        common[1] = common[0]
        assert lc(rare, pair_weights=w) > lc(common, pair_weights=w)

    def test_one_class(self):
        assert torch.isfinite(debias_weights(torch.tensor([3]), 1.0)).all()


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="form must be one of"):
        CollapseLoss("circle")
    with pytest.raises(ValueError, match="target"):
        CollapseLoss("anchored")
