"""GNM: the gradient at a random neighbour, the step at the centre."""

import copy
import math

import pytest
import torch
from small_network import BASES, loss_of, network, same, values
from tolerance import DOUBLE

from npt_plugin.optim import GNM
from npt_plugin.optim.noise import NoiseStream

pytestmark = pytest.mark.numerics


def train(model, optimizer, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        with optimizer.perturbed():
            loss_of(model).backward()
        optimizer.step()


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("closure", [False, True])
def test_radius_zero_is_the_base_optimizer_bit_for_bit(base, closure):
    plain, wrapped = network(), network()
    optimizer, gnm = base(plain.parameters()), GNM(base(wrapped.parameters()), rho=0.0)
    for _ in range(5):
        optimizer.zero_grad()
        loss_of(plain).backward()
        optimizer.step()

        def evaluate():
            gnm.zero_grad()
            loss = loss_of(wrapped)
            loss.backward()
            return loss

        if closure:
            gnm.step(evaluate)
        else:
            with gnm.perturbed():
                evaluate()
            gnm.step()
    assert same(values(plain), values(wrapped))
    assert gnm.stream.state_dict() == {}


def test_one_step_by_hand():
    model = network()
    start = values(model)
    gnm = GNM(torch.optim.SGD(model.parameters(), 0.1), rho=0.5, scale=1.0, seed=3)
    noise = NoiseStream(3)
    neighbour = copy.deepcopy(model)
    with torch.no_grad():
        for p in neighbour.parameters():
            p.add_(noise.draw(p.shape, p.device) * 0.5)
    loss_of(neighbour).backward()
    seen = []
    with gnm.perturbed():
        seen = values(model)
        loss_of(model).backward()
    assert same(seen, values(neighbour))
    assert same(values(model), start)
    gnm.step()
    for p, old, q in zip(model.parameters(), start, neighbour.parameters(), strict=True):
        assert torch.allclose(p, old - 0.1 * q.grad, atol=DOUBLE)


def test_closure_and_with_block_are_the_same():
    a, b = network(), network()
    first, second = (GNM(torch.optim.SGD(m.parameters(), 0.1, momentum=0.9)) for m in (a, b))
    train(a, first, 3)
    for _ in range(3):

        def evaluate():
            second.zero_grad()
            loss = loss_of(b)
            loss.backward()
            return loss

        assert torch.isfinite(second.step(evaluate))
    assert same(values(a), values(b))


@pytest.mark.parametrize("base", BASES)
def test_saved_and_loaded_it_continues_bit_identically(base, tmp_path):
    straight, broken = network(), network()
    one, two = GNM(base(straight.parameters()), scale=1), GNM(base(broken.parameters()), scale=1)
    train(straight, one, 6)
    train(broken, two, 3)
    file = tmp_path / "state.pt"
    torch.save({"model": broken.state_dict(), "optimizer": two.state_dict()}, file)
    saved = torch.load(file, weights_only=True)
    resumed = network(seed=9)
    resumed.load_state_dict(saved["model"])
    three = GNM(base(resumed.parameters()), scale=1, seed=5)
    three.load_state_dict(saved["optimizer"])
    train(resumed, three, 3)
    assert same(values(straight), values(resumed))


def test_resume_in_the_middle_of_accumulation_redraws_the_same_noise():
    straight, broken = network(), network()
    optimizers = [GNM(torch.optim.SGD(m.parameters(), 0.1)) for m in (straight, broken)]
    for model, gnm in zip((straight, broken), optimizers, strict=True):
        train(model, gnm, 2)
        with gnm.perturbed():
            pass
    with optimizers[0].perturbed():
        expected = values(straight)
    resumed = GNM(torch.optim.SGD(broken.parameters(), 0.1))
    resumed.load_state_dict(optimizers[1].state_dict())
    with resumed.perturbed():
        assert same(values(broken), expected)


def test_state_holds_no_copy_of_the_parameters():
    model = network()
    gnm = GNM(torch.optim.SGD(model.parameters(), 0.1))
    train(model, gnm, 1)
    assert set(gnm.state_dict()) == {"base", "noise"}
    with pytest.raises(ValueError, match="not saved by GNM"):
        gnm.load_state_dict(gnm.optimizer.state_dict())


class Boom(Exception):
    pass


def test_an_exception_leaves_the_parameters_clean():
    model = network()
    start = values(model)
    gnm = GNM(torch.optim.SGD(model.parameters(), 0.1), scale=10)

    def evaluate():
        assert not same(values(model), start)
        raise Boom

    with pytest.raises(Boom):
        gnm.step(evaluate)
    assert same(values(model), start)
    train(model, gnm, 1)  # and it still works


def test_an_exception_while_drawing_leaves_the_parameters_clean(monkeypatch):
    model = network()
    start = values(model)
    gnm = GNM(torch.optim.SGD(model.parameters(), 0.1))
    draw, calls = gnm.stream.draw, []

    def failing(shape, device):
        calls.append(shape)
        if len(calls) == 3:
            raise Boom
        return draw(shape, device)

    monkeypatch.setattr(gnm.stream, "draw", failing)
    with pytest.raises(Boom):
        with gnm.perturbed():
            pass
    assert same(values(model), start)


def test_micro_batches_share_the_noise_and_steps_do_not():
    model = network()
    gnm = GNM(torch.optim.SGD(model.parameters(), 0.0))
    seen = []
    for _ in range(2):
        for rows in (slice(0, 6), slice(6, 12)):
            with gnm.perturbed():
                seen.append(values(model))
                (loss_of(model, rows) / 2).backward()
        gnm.step()
    assert same(seen[0], seen[1]) and same(seen[2], seen[3]) and not same(seen[0], seen[2])


def test_accumulation_equals_the_whole_batch():
    whole, parts = (network(dtype=torch.float64) for _ in range(2))
    one, two = (GNM(torch.optim.SGD(m.parameters(), 0.1, momentum=0.9)) for m in (whole, parts))
    train(whole, one, 3)
    for _ in range(3):
        two.zero_grad()
        for rows in (slice(0, 6), slice(6, 12)):
            with two.perturbed():
                (loss_of(parts, rows) / 2).backward()
        two.optimizer.step()  # stepping the base directly ends the step just as well
    for a, b in zip(values(whole), values(parts), strict=True):
        assert torch.allclose(a, b, atol=1e-12)


@pytest.mark.numerics(single=True)
def test_grad_scaler_steps_and_skips():
    model = network()
    gnm = GNM(torch.optim.SGD(model.parameters(), 0.1), scale=10)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**8)
    start = values(model)
    for factor, moves in [(1.0, True), (math.inf, False)]:
        gnm.zero_grad()
        with gnm.perturbed(), torch.autocast("cpu", dtype=torch.bfloat16):
            loss = loss_of(model) * factor
            scaler.scale(loss).backward()
        assert same(values(model), start)
        scaler.unscale_(gnm)
        scaler.step(gnm)
        scaler.update()
        assert same(values(model), start) is not moves
        assert all(torch.isfinite(p).all() for p in model.parameters())
        start = values(model)


def test_global_random_state_is_neither_read_nor_moved():
    model = network()
    torch.manual_seed(123)
    before = torch.get_rng_state()
    train(model, GNM(torch.optim.SGD(model.parameters(), 0.1)), 2)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("forbidden", ["step", "base step", "state_dict", "perturbed"])
def test_forbidden_while_perturbed(forbidden):
    gnm = GNM(torch.optim.SGD(network().parameters(), 0.1))
    act = {
        "step": gnm.step,
        "base step": gnm.optimizer.step,
        "state_dict": gnm.state_dict,
        "perturbed": lambda: gnm.perturbed().__enter__(),
    }[forbidden]
    with gnm.perturbed(), pytest.raises(RuntimeError, match="perturbed"):
        act()


@pytest.mark.parametrize(
    "schedule, drw, expected",
    [
        ("constant", 4, {0: 1, 1: 1, 50: 1}),
        ("halve", 59, {0: 1, 1: 1, 59: 1, 60: 0.5, 69: 0.5}),  # the released 70-epoch run
        ("halve", -1, {0: 1, 10: 1, 69: 1}),
        ("halve", 0, {0: 1, 10: 1}),
        ("cosine", -1, {0: 1, 35: 0.5, 70: 0, 80: 0}),
    ],
)
def test_schedules(schedule, drw, expected):
    gnm = GNM(
        torch.optim.SGD(network().parameters(), 0.1), schedule=schedule, drw_epoch=drw, max_epoch=70
    )
    for epoch, factor in expected.items():
        gnm.set_epoch(epoch)
        assert gnm.radius == pytest.approx(0.005 * factor, abs=1e-12), epoch


@pytest.mark.parametrize(
    "arguments", [{"rho": -1}, {"schedule": "linear"}, {"schedule": "cosine"}, {"scale": -0.1}]
)
def test_bad_arguments_are_named(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        GNM(torch.optim.SGD(network().parameters(), 0.1), **arguments)
