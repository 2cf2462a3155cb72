"""What holds of the objective in every form: no waiting, no Python loop, full precision."""

import pytest
import torch
from objective_cases import COUNTS, EVERY_FORM, LABELS, ZERO_SHOT, B, D, config, outputs
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from npt_plugin.backbone.outputs import PromptOutputs
from npt_plugin.losses import build_objective

pytestmark = pytest.mark.numerics


def ids(keys):
    return "-".join(str(v) for v in keys.values())


class Recorder(TorchDispatchMode):
    """Names of all operators dispatched, backward included."""

    def __init__(self):
        super().__init__()
        self.names = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.add(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


SYNCING = {
    "_local_scalar_dense",
    "nonzero",
    "masked_select",
    "is_nonzero",
    "equal",
    "item",
    "_unique2",
    "bincount",
}


@pytest.mark.parametrize("keys", EVERY_FORM, ids=ids)
@pytest.mark.parametrize("conditional", [False, True])
def test_no_step_waits_for_the_device(keys, conditional):
    objective = build_objective(config(**keys), COUNTS, ZERO_SHOT)
    out = outputs(conditional)
    with Recorder() as seen:
        sum(objective(out, LABELS).values()).backward()
    assert "mul" in seen.names and not seen.names & SYNCING


def test_the_recorder_would_see_a_wait():
    with Recorder() as seen:
        torch.ones(1).item()
        torch.ones(3)[torch.tensor([True, False, True])]
    assert {"_local_scalar_dense", "nonzero"} & seen.names


def test_operator_count_does_not_grow_with_the_classes():
    class Counter(Recorder):
        total = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            self.total += 1
            return super().__torch_dispatch__(func, types, args, kwargs)

    totals = []
    for k in (3, 9):
        objective = build_objective(config(), torch.ones(k), None)
        out = PromptOutputs(torch.zeros(B, k), torch.randn(B, D), torch.randn(k, D))
        with Counter() as seen:
            objective(out, torch.tensor([0, 1, 2, 2]))
        totals.append(seen.total)
    assert totals[0] == totals[1]


@pytest.mark.parametrize("keys", EVERY_FORM, ids=ids)
def test_runs_on_fake_tensors(keys):
    objective = build_objective(config(**keys), COUNTS, ZERO_SHOT)
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        out = outputs()
        fake = PromptOutputs(
            *(
                mode.from_tensor(x) if type(x) is torch.Tensor else x
                for x in (out.logits, out.image_features, out.text_features)
            )
        )
        terms = objective(fake, mode.from_tensor(LABELS))
        sum(terms.values()).backward()
    assert all(t.shape == () for t in terms.values())


@pytest.mark.numerics(single=True)
@pytest.mark.parametrize("keys", EVERY_FORM, ids=ids)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_terms_are_finite_float32_with_gradients(keys, dtype):
    objective = build_objective(config(**keys), COUNTS, ZERO_SHOT)
    out = outputs(dtype=dtype)
    terms = objective(out, LABELS)
    assert all(t.dtype == torch.float32 and torch.isfinite(t) for t in terms.values())
    sum(terms.values()).backward()
    for x in (out.image_features, out.text_features):
        assert x.grad.dtype == dtype and torch.isfinite(x.grad).all()


@pytest.mark.parametrize("keys", EVERY_FORM, ids=ids)
def test_autocast_changes_no_bit(keys):
    plain = build_objective(config(**keys), COUNTS, ZERO_SHOT)
    cast = build_objective(config(**keys), COUNTS, ZERO_SHOT)
    expected = plain(outputs(), LABELS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = cast(outputs(), LABELS)
    assert all(torch.equal(got[name], expected[name]) for name in expected)
