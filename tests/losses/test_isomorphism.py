import math

import pytest
import torch
import torch.nn.functional as F
from tolerance import DOUBLE

from npt_plugin.geometry import nearest_etf, simplex_etf
from npt_plugin.losses.isomorphism import ISOMORPHISM_FORMS, IsomorphismLoss

pytestmark = pytest.mark.numerics

K, D = 5, 8
LABELS = torch.tensor([0, 0, 0, 2, 3, 3])  # classes 1 and 4 absent


def batch(dtype=torch.float64, seed=0):
    torch.manual_seed(seed)
    images = F.normalize(torch.randn(len(LABELS), D) + 0.3, dim=1).to(dtype)
    text = F.normalize(torch.randn(K, D) + 0.3, dim=1).to(dtype)
    return images, text


def make(form, center=False, momentum=0.0, k=K, seed=9):
    torch.manual_seed(seed)
    return IsomorphismLoss(form, k, center, momentum, nearest_etf(torch.randn(k, D)))


def reference(images, text, labels, form, center, target):
    """Class by class, without masks or matrices over all classes."""
    images, text, target = images.double(), text.double(), target.double()
    present = sorted(set(labels.tolist()))
    groups = {k: [h for h, y in zip(images, labels, strict=True) if y == k] for k in present}
    means = {k: sum(hs) / len(hs) for k, hs in groups.items()}
    k_all, p = len(text), len(present)
    middle = sum(means.values()) / p

    def direction(v):
        return v / v.norm()

    if form == "nc3":
        w = text - text.mean(0) if center else text
        a = [[float(w[i] @ (means[j] - middle)) for j in present] for i in present]
        norm = math.sqrt(sum(x * x for row in a for x in row))
        return sum(
            (a[i][j] / norm - ((i == j) - 1 / p) / math.sqrt(p - 1)) ** 2
            for i in range(p)
            for j in range(p)
        )
    if form == "pull":
        return (
            sum(sum(1 - float(h @ text[k]) for h in groups[k]) / len(groups[k]) for k in present)
            / p
        )
    if form == "pull_images":
        every = [1 - float(h @ text[y]) for h, y in zip(images, labels.tolist(), strict=True)]
        return sum(every) / len(every)
    shift = middle if center else 0
    if form == "anchored":
        return (
            sum(
                sum(1 - float(direction(h - shift) @ target[k]) for h in groups[k]) / len(groups[k])
                for k in present
            )
            / p
        )
    w = text - text.mean(0) if center else text
    total = 0.0
    for k in present:
        for j in range(k_all):
            goal = 1.0 if j == k else -1 / (k_all - 1)
            total += (float(direction(means[k] - shift) @ direction(w[j])) - goal) ** 2
    return total / (p * k_all)


@pytest.mark.parametrize("form", ISOMORPHISM_FORMS)
@pytest.mark.parametrize("center", [False, True])
def test_matches_the_slow_reference_with_classes_absent(form, center):
    loss = make(form, center)
    images, text = batch()
    expected = reference(images, text, LABELS, form, center, loss.target)
    assert float(loss(images, text, LABELS)) == pytest.approx(expected, rel=DOUBLE)


@pytest.mark.parametrize("k", [2, D, D + 1])
@pytest.mark.parametrize("form", ISOMORPHISM_FORMS)
def test_zero_when_both_modalities_are_the_same_etf(form, k):
    etf = simplex_etf(k, D, seed=0)
    loss = IsomorphismLoss(form, k, False, 0.0, etf)
    assert loss(etf, etf, torch.arange(k)).abs() < 1e-12


@pytest.mark.parametrize("form", ["etf", "anchored", "nc3"])
def test_centring_removes_the_modality_gap(form):
    etf = simplex_etf(4, D, seed=0)
    loss = IsomorphismLoss(form, 4, True, 0.0, etf)
    gap = torch.randn(D).double()
    assert loss(etf + gap, etf - gap, torch.arange(4)).abs() < 1e-12


def test_hand_values():
    text = torch.eye(2, D)
    one = make("etf", k=2)(text[:1], text, torch.tensor([0]))  # cosines 1, 0; target 1, -1
    assert float(one) == pytest.approx(0.5)
    assert float(make("pull", k=2)(text[:1], text, torch.tensor([1]))) == pytest.approx(1)


def test_each_image_counts_once_where_it_should():
    images, text = torch.eye(2, D), torch.eye(2, D)
    twice = torch.tensor([0, 1, 1])
    assert float(make("pull_images", k=2)(images, text, torch.tensor([0, 0]))) == 0.5
    value = make("pull_images", k=2)(images[twice], text, torch.tensor([0, 0, 0]))
    assert float(value) == pytest.approx(2 / 3)


@pytest.mark.parametrize("form", [form for form in ISOMORPHISM_FORMS if form != "pull_images"])
def test_each_class_counts_once(form):
    images, text = batch()
    loss = make(form)
    repeat = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 4, 5])  # class 0 three times as often
    assert torch.allclose(
        loss(images[repeat], text, LABELS[repeat]), loss(images, text, LABELS), atol=DOUBLE
    )


@pytest.mark.parametrize("form", ISOMORPHISM_FORMS)
def test_image_conditional_text_is_averaged_over_images(form):
    images, _ = batch()
    text = F.normalize(torch.randn(len(LABELS), K, D), dim=-1)
    loss = make(form, True)
    each = [loss(images, text[b], LABELS) for b in range(len(LABELS))]
    assert torch.allclose(loss(images, text, LABELS), sum(each) / len(each), atol=DOUBLE)


@pytest.mark.parametrize("form", ISOMORPHISM_FORMS)
@pytest.mark.parametrize("center", [False, True])
def test_gradient_is_right_and_lowers_the_loss(form, center):
    loss = make(form, center)
    images, text = (x.double().requires_grad_() for x in batch())
    assert torch.autograd.gradcheck(lambda h, w: loss(h, w, LABELS), (images, text))
    value = loss(images, text, LABELS)
    value.backward()
    after = loss(images - 0.05 * images.grad, text - 0.05 * text.grad, LABELS)
    assert after < value


@pytest.mark.numerics(single=True)
@pytest.mark.parametrize("form", ISOMORPHISM_FORMS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_computes_in_float32(form, dtype):
    images, text = batch(dtype)
    loss = make(form)
    value = loss(images, text, LABELS)
    assert value.dtype == torch.float32
    assert torch.equal(value, loss(images.float(), text.float(), LABELS))


@pytest.mark.parametrize("form, center", [("nc3", False), ("etf", True), ("anchored", True)])
def test_one_present_class_cannot_be_centred(form, center):
    images, text = (x.requires_grad_() for x in batch())
    value = make(form, center)(images[:3], text, LABELS[:3])
    value.backward()
    assert value.item() == 0
    assert images.grad.abs().max() == 0 and text.grad.abs().max() == 0


@pytest.mark.parametrize("form, center", [("nc3", False), ("etf", True), ("anchored", True)])
def test_with_a_bank_a_batch_of_one_is_meaningful(form, center):
    images, text = batch()
    loss = make(form, center, momentum=0.9)
    for i in range(len(LABELS)):
        loss(images[i : i + 1], text, LABELS[i : i + 1])
    one, text = images[:1].clone().requires_grad_(), text.clone().requires_grad_()
    value = loss(one, text, LABELS[:1])
    value.backward()
    assert value.item() > 0 and one.grad.abs().max() > 0
    if form != "anchored":  # its text side is the collapse term's business
        assert text.grad[[0, 2, 3]].norm(dim=1).min() > 0


@pytest.mark.parametrize("form", ISOMORPHISM_FORMS)
def test_one_class_is_a_zero_with_a_graph(form):
    images, text = (x.requires_grad_() for x in batch())
    loss = IsomorphismLoss(form, 1, target=torch.ones(1, D))
    value = loss(images, text[:1], torch.zeros(len(LABELS), dtype=torch.long))
    value.backward()
    assert value.item() == 0 and torch.isfinite(images.grad).all()


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="form must be one of"):
        IsomorphismLoss("push", K)
    with pytest.raises(ValueError, match="target"):
        IsomorphismLoss("anchored", K)
