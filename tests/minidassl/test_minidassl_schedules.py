import math

import pytest
import torch
from minidassl.config import get_cfg_default
from minidassl.optim import build_lr_scheduler

LR = 0.02


def make(**options):
    node = get_cfg_default().OPTIM
    node.LR = LR
    for name, value in options.items():
        node[name] = value
    weight = torch.zeros(1, requires_grad=True)
    optim = torch.optim.SGD([weight], lr=LR)
    return optim, build_lr_scheduler(optim, node)


def rates(optim, sched, n):
    out = []
    for _ in range(n):
        out.append(optim.param_groups[0]["lr"])
        optim.step()
        sched.step()
    return out


def cosine(epoch, total):
    return LR * (1 + math.cos(math.pi * epoch / total)) / 2


def test_cosine_with_one_constant_warm_up_epoch_as_coop_uses():
    pair = make(
        LR_SCHEDULER="cosine",
        MAX_EPOCH=50,
        WARMUP_EPOCH=1,
        WARMUP_TYPE="constant",
        WARMUP_CONS_LR=1e-5,
    )
    expected = [1e-5] + [cosine(epoch, 50) for epoch in range(49)]
    assert rates(*pair, 50) == pytest.approx(expected)


def test_linear_warm_up_climbs_to_the_full_rate():
    pair = make(
        LR_SCHEDULER="cosine", MAX_EPOCH=9, WARMUP_EPOCH=4, WARMUP_TYPE="linear", WARMUP_MIN_LR=1e-4
    )
    climb = [1e-4, LR / 4, LR / 2, 3 * LR / 4]
    assert rates(*pair, 7) == pytest.approx(climb + [cosine(epoch, 9) for epoch in range(3)])


def test_without_recount_the_schedule_goes_on_from_the_warm_up():
    pair = make(
        LR_SCHEDULER="multi_step",
        STEPSIZE=(4,),
        WARMUP_EPOCH=2,
        WARMUP_RECOUNT=False,
        WARMUP_TYPE="constant",
        WARMUP_CONS_LR=1e-3,
    )
    expected = [1e-3, 1e-3, LR, LR, LR / 10]
    assert rates(*pair, 5) == pytest.approx(expected)


def test_single_and_multi_step():
    assert rates(*make(STEPSIZE=(2,), GAMMA=0.5), 5) == pytest.approx(
        [LR, LR, LR / 2, LR / 2, LR / 4]
    )
    whole = rates(*make(STEPSIZE=(-1,), MAX_EPOCH=3), 4)  # one step after the last epoch
    assert whole == pytest.approx([LR] * 3 + [LR / 10])
    stepped = rates(*make(LR_SCHEDULER="multi_step", STEPSIZE=(1, 3)), 4)
    assert stepped == pytest.approx([LR, LR / 10, LR / 10, LR / 100])


CASES = [
    {
        "LR_SCHEDULER": name,
        "STEPSIZE": (2, 5),
        "MAX_EPOCH": 8,
        "WARMUP_EPOCH": warm,
        "WARMUP_TYPE": kind,
    }
    for name in ("single_step", "multi_step", "cosine")
    for warm, kind in ((-1, "linear"), (2, "linear"), (3, "constant"))
]


@pytest.mark.parametrize("options", CASES, ids=lambda o: f"{o['LR_SCHEDULER']} {o['WARMUP_EPOCH']}")
@pytest.mark.parametrize("done", [1, 2, 4])
def test_state_is_plain_and_resumes_exactly(tmp_path, options, done):
    optim, sched = make(**options)
    straight = rates(optim, sched, 8)
    optim, sched = make(**options)
    rates(optim, sched, done)
    torch.save([optim.state_dict(), sched.state_dict()], tmp_path / "state")
    optim, sched = make(**options)
    saved = torch.load(tmp_path / "state", weights_only=True)
    optim.load_state_dict(saved[0])
    sched.load_state_dict(saved[1])
    assert rates(optim, sched, 8 - done) == straight[done:]


def test_last_lr_follows_the_optimiser():
    optim, sched = make(LR_SCHEDULER="cosine", MAX_EPOCH=5, WARMUP_EPOCH=2)
    for _ in range(6):
        assert sched.get_last_lr() == [optim.param_groups[0]["lr"]]
        optim.step()
        sched.step()


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"LR_SCHEDULER": "poly"}, ValueError, "poly"),
        ({"WARMUP_EPOCH": 1, "WARMUP_TYPE": "slow"}, ValueError, "slow"),
        ({"STEPSIZE": (2.5,)}, TypeError, "2.5"),
        ({"LR_SCHEDULER": "multi_step", "STEPSIZE": 3}, TypeError, "list"),
    ],
)
def test_bad_options_are_named(options, error, words):
    with pytest.raises(error, match=words):
        make(**options)
