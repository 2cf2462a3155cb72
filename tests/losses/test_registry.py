"""What holds of every registered loss, and how the builder reads its settings."""

import pytest
import torch
import torch.nn.functional as F
from loss_cases import DRW_ABLE, LABELS, NAMES, build, logits
from torch.utils._python_dispatch import TorchDispatchMode

from npt_plugin.errors import UserError

pytestmark = pytest.mark.numerics


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


@pytest.mark.parametrize("name", NAMES)
def test_one_image_a_batch_and_extreme_logits_stay_finite(name):
    z = torch.tensor([[100.0, -100.0, 0.0, 50.0]], requires_grad=True)
    for y in (0, 1):
        value = build(name)(z, torch.tensor([y]))
        value.backward()
        assert torch.isfinite(value) and torch.isfinite(z.grad).all()


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


@pytest.mark.parametrize("head_scale", [100.0, 25.0, 17.5, None])
def test_margins_have_the_published_size_in_logits_on_every_head(head_scale):
    """LDAM 0.5 x 25, GCL margin 0.1 x 25 and noise 1 x 25, whatever the head's own scale."""
    ldam = build("ldam", [100, 10, 1], head_scale=head_scale)
    assert ldam.shifts.tolist()[2] == pytest.approx(12.5)
    gcl = build("gcl", [100, 10, 1], head_scale=head_scale)
    assert gcl.shift == pytest.approx(2.5) and gcl.clouds.max().item() == pytest.approx(25.0)


def test_margins_in_cosines_of_the_head_on_request():
    own = {"LOGIT_SCALE": 0.0, "LDAM_MARGIN": 0.5}
    ldam = build("ldam", [100, 10, 1], head_scale=30.0, **own)
    assert ldam.shifts.tolist()[2] == pytest.approx(15.0)
    with pytest.raises(UserError, match="a linear head has none"):
        build("gcl", **own)
    build("ce", **own)  # has no margin: nothing to refuse
