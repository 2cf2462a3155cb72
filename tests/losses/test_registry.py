import math

import pytest
import torch
import torch.nn.functional as F
from tolerance import DOUBLE
from torch.utils._python_dispatch import TorchDispatchMode

from npt_plugin.config import defaults
from npt_plugin.errors import UserError
from npt_plugin.losses import CLASSIFICATION_LOSSES, build_classification_loss
from npt_plugin.losses.weighting import (
    effective_number_weights,
    inverse_frequency_weights,
    power_weights,
)

pytestmark = pytest.mark.numerics

COUNTS = [16, 9, 4, 1]
LABELS = torch.tensor([0, 0, 1, 0, 3])  # class 2 absent
NAMES = sorted(CLASSIFICATION_LOSSES)
DRW_ABLE = [n for n in NAMES if n not in ("cbw", "cb", "grw")]


def build(name, counts=COUNTS, seed=0, **keys):
    cfg = defaults()
    cfg.TRAINER.IMBALANCE_LOSS.NAME = name
    cfg.SEED = seed
    for key, value in keys.items():
        assert key in cfg.TRAINER.IMBALANCE_LOSS
        cfg.TRAINER.IMBALANCE_LOSS[key] = value
    return build_classification_loss(cfg, torch.tensor(counts))


def logits(seed=0, k=4, scale=3.0, dtype=torch.float64):
    g = torch.Generator().manual_seed(seed)
    return (scale * torch.randn(len(LABELS), k, generator=g)).to(dtype)


def ce(row, y):
    """-log softmax(row)[y] in plain Python."""
    top = max(row)
    return math.log(sum(math.exp(z - top) for z in row)) + top - row[y]


def reference(name, z, labels, counts, noise=None):
    """Each loss from its published formula, image by image (default settings)."""
    rows, ys, k, n = z.double().tolist(), labels.tolist(), len(counts), sum(counts)
    prior = [c / n for c in counts]
    if name == "focal":
        losses = [ce(r, y) for r, y in zip(rows, ys, strict=True)]
        return sum((1 - math.exp(-x)) ** 2 * x for x in losses) / len(ys)
    if name in ("cbw", "cb", "grw"):
        weight = {
            "cbw": [n / (k * c) for c in counts],
            "cb": [(1 - 0.9999) / (1 - 0.9999**c) for c in counts],
            "grw": [p**-1.2 for p in prior],
        }[name]
        total = sum(weight[y] for y in ys)
        return sum(weight[y] * ce(r, y) for r, y in zip(rows, ys, strict=True)) / total
    if name == "ldam":
        margin = [0.125 * (min(counts) / c) ** 0.25 for c in counts]
        return sum(
            ce([100 * (v / 100 - margin[c] * (c == y)) for c, v in enumerate(r)], y)
            for r, y in zip(rows, ys, strict=True)
        ) / len(ys)
    if name in ("balanced_softmax", "logit_adjustment", "lade"):
        value = sum(
            ce([v + math.log(p) for v, p in zip(r, prior, strict=True)], y)
            for r, y in zip(rows, ys, strict=True)
        ) / len(ys)
        if name != "lade":
            return value
        estimate = 0.0
        for c in range(k):
            own = [r[c] for r, y in zip(rows, ys, strict=True) if y == c]
            a = sum(own) / len(own) if own else 0.0
            b = math.log(sum(math.exp(r[c]) / prior[c] / k for r in rows) / len(rows))
            estimate -= prior[c] * (a - b - 0.1 * b**2)
        return value + 0.1 * estimate
    if name == "gcl":
        span = math.log(max(counts)) - math.log(min(counts))
        delta = [(math.log(max(counts)) - math.log(c)) / span if span else 0 for c in counts]
        out = [
            [
                100 * (v / 100 - 0.25 * abs(e) * d - 0.025 * (c == y))
                for c, (v, e, d) in enumerate(zip(r, es, delta, strict=True))
            ]
            for r, y, es in zip(rows, ys, noise.double().tolist(), strict=True)
        ]
        return sum(ce(r, y) for r, y in zip(out, ys, strict=True)) / len(ys)
    if name == "label_aware":
        low, high = min(counts), max(counts)
        total = 0.0
        for r, y in zip(rows, ys, strict=True):
            e = 0.3 * math.sin(math.pi * (counts[y] - low) / (2 * (high - low)))
            total += (1 - e) * ce(r, y) + e * sum(ce(r, c) for c in range(k)) / k
        return total / len(ys)
    return sum(ce(r, y) for r, y in zip(rows, ys, strict=True)) / len(ys)


def gcl_noise(shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    draw = torch.randn(shape, generator=generator, dtype=torch.float32)
    return (draw * (1 / 3)).clamp(-1, 1)


@pytest.mark.parametrize("name", NAMES)
def test_matches_the_published_formula(name):
    z = logits()
    expected = reference(name, z, LABELS, COUNTS, gcl_noise(z.shape))
    assert build(name)(z, LABELS).item() == pytest.approx(expected, rel=DOUBLE)


@pytest.mark.parametrize("name", NAMES)
def test_gradient_is_right_and_lowers_the_loss(name):
    z = logits(scale=1.0, dtype=torch.float64).requires_grad_()

    def run(x):  # a fresh loss each time: gcl then draws the same noise
        return build(name)(x, LABELS)

    assert torch.autograd.gradcheck(run, (z,))
    value = run(z)
    value.backward()
    assert run(z - 0.1 * z.grad) < value


@pytest.mark.numerics(single=True)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_logits(name, dtype):
    z = logits(scale=20, dtype=dtype).requires_grad_()
    value = build(name)(z, LABELS)
    value.backward()
    assert torch.isfinite(value) and torch.isfinite(z.grad).all()
    assert value.dtype == (dtype if name == "ce" else torch.float32)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("counts", [[5, 5], [3, 1]])
def test_two_classes_and_equal_counts_are_well_defined(name, counts):
    z = logits(k=2).requires_grad_()
    value = build(name, counts)(z, LABELS % 2)
    value.backward()
    assert torch.isfinite(value) and torch.isfinite(z.grad).all()


@pytest.mark.parametrize("name", ["cbw", "cb", "grw", "balanced_softmax", "logit_adjustment"])
def test_equal_counts_reduce_to_cross_entropy(name):
    z = logits()
    assert torch.allclose(build(name, [7] * 4)(z, LABELS), F.cross_entropy(z, LABELS))


def test_equal_counts_in_the_others():
    z = logits()
    equal = [7] * 4
    margin = F.one_hot(LABELS, 4)
    assert torch.allclose(
        build("ldam", equal)(z, LABELS), F.cross_entropy(z - 12.5 * margin, LABELS)
    )
    assert torch.allclose(build("gcl", equal)(z, LABELS), F.cross_entropy(z - 2.5 * margin, LABELS))
    assert torch.allclose(
        build("label_aware", equal)(z, LABELS), F.cross_entropy(z, LABELS, label_smoothing=0.3)
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_ce_is_bit_identical(dtype):
    z = logits(dtype=dtype)
    a, b = z.clone().requires_grad_(), z.clone().requires_grad_()
    ours, theirs = build("ce")(a, LABELS), F.cross_entropy(b, LABELS)
    ours.backward()
    theirs.backward()
    assert ours.dtype == theirs.dtype and torch.equal(ours, theirs) and torch.equal(a.grad, b.grad)


@pytest.mark.parametrize("name", NAMES)
def test_one_image_a_batch_and_extreme_logits_stay_finite(name):
    z = torch.tensor([[100.0, -100.0, 0.0, 50.0]], requires_grad=True)
    for y in (0, 1):
        value = build(name)(z, torch.tensor([y]))
        value.backward()
        assert torch.isfinite(value) and torch.isfinite(z.grad).all()


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


def test_weights_by_hand():
    n = torch.tensor([8, 2])
    assert inverse_frequency_weights(n).tolist() == [10 / 16, 10 / 4]
    assert power_weights(n, 1.0).tolist() == pytest.approx([0.4, 1.6])
    assert power_weights(n, 0.0).tolist() == [1, 1]
    assert effective_number_weights(n, 0.0).tolist() == [1, 1]
    w = effective_number_weights(torch.tensor([3, 1]), 0.5)  # 1/1.75 : 1
    assert w.tolist() == pytest.approx([2 * 4 / 11, 2 * 7 / 11])
    # the tail and head weights of CIFAR100-LT at imbalance 100, beta 0.9998
    cifar = torch.tensor([int(500 * 0.01 ** (i / 99)) for i in range(100)])
    w = effective_number_weights(cifar, 0.9998)
    assert float(w[0]) == pytest.approx(0.046, abs=5e-4)
    assert float(w[-1]) == pytest.approx(4.37, abs=5e-3)
    with pytest.raises(ValueError, match="beta"):
        effective_number_weights(n, 1.0)


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

    def test_the_focal_factor_is_constant_for_the_gradient(self):
        z = logits().requires_grad_()
        build("gcl", [4] * 4, GCL_GAMMA=2.0)(z, LABELS).backward()
        margin = 2.5 * F.one_hot(LABELS, 4)
        x = (logits() - margin).requires_grad_()
        losses = F.cross_entropy(x, LABELS, reduction="none")
        ((1 - torch.exp(-losses.detach())) ** 2 * losses).mean().backward()
        assert torch.allclose(z.grad, x.grad, atol=DOUBLE)


@pytest.mark.parametrize("name", ["gcl", "ldam"])
def test_margins_and_noise_are_off_in_evaluation(name):
    assert torch.allclose(build(name).eval()(logits(), LABELS), F.cross_entropy(logits(), LABELS))


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


def test_logit_adjustment_favours_rare_classes_by_tau():
    z = torch.zeros(1, 4).requires_grad_()
    build("logit_adjustment", TAU=2.0)(z, torch.tensor([0])).backward()
    expected = torch.softmax(2 * torch.tensor(COUNTS).float().log(), 0)
    expected[0] -= 1
    assert torch.allclose(z.grad[0], expected)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_class_is_named(name):
    with pytest.raises(ValueError, match="class 2 has no training image"):
        build(name, [4, 3, 0, 1])


@pytest.mark.parametrize(
    "key, value",
    [
        ("NAME", "softmax"),
        ("CB_BETA", 1.0),
        ("DRW_BETA", -0.1),
        ("FOCAL_GAMMA", -1.0),
        ("SMOOTH_SHAPE", "round"),
        ("SMOOTH_HEAD", 1.5),
        ("DRW_EPOCH", -2),
        ("LOGIT_SCALE", -1.0),
    ],
)
def test_bad_settings_are_named(key, value):
    with pytest.raises(UserError, match=f"TRAINER.IMBALANCE_LOSS.{key}"):
        build(**{"name": "ce", key: value} if key != "NAME" else {"name": value})


@pytest.mark.parametrize("name", NAMES)
def test_wrong_class_number_is_refused(name):
    with pytest.raises(ValueError, match=r"logits must be \(B, 4\)"):
        build(name)(torch.zeros(5, 3), LABELS)


@pytest.mark.parametrize("name", NAMES)
def test_no_step_waits_for_the_device(name):
    names = set()

    class Recorder(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            names.add(func.overloadpacket.__name__)
            return func(*args, **(kwargs or {}))

    loss = build(name, **({"DRW_EPOCH": 0} if name in DRW_ABLE else {}))
    loss.set_epoch(1)
    z = logits().requires_grad_()
    with Recorder():
        loss(z, LABELS).backward()
    assert names and not names & {"_local_scalar_dense", "nonzero", "masked_select", "bincount"}
