import pytest
import torch
from small_network import X, Y, network
from torch import nn

from npt_plugin.optim import SAM

pytestmark = pytest.mark.numerics


def identical(a, b):
    pairs = zip(a.parameters(), b.parameters(), strict=True)
    return all(torch.equal(p, q) for p, q in pairs)


def closure_for(model, optimizer, log=None):
    def evaluate():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(X), Y)
        loss.backward()
        if log is not None:
            log.append([p.detach().clone() for p in model.parameters()])
        return loss

    return evaluate


@pytest.mark.parametrize("adaptive", [False, True])
def test_one_step_by_hand(adaptive):
    model, twin = network(), network()
    sam = SAM(torch.optim.SGD(model.parameters(), 0.1), rho=0.2, adaptive=adaptive)
    seen = []
    loss = sam.step(closure_for(model, sam, seen))

    start = [p.detach().clone() for p in twin.parameters()]
    first = nn.functional.cross_entropy(twin(X), Y)
    first.backward()
    t = [p.abs() + 0.01 if adaptive else torch.ones_like(p) for p in start]
    grads = [p.grad.clone() for p in twin.parameters()]
    flat = torch.cat([(a * g).flatten() for a, g in zip(t, grads, strict=True)])
    length = flat.square().sum().sqrt()
    with torch.no_grad():
        for p, a, g in zip(twin.parameters(), t, grads, strict=True):
            p.add_(0.2 * a**2 * g / length)
    twin.zero_grad()
    nn.functional.cross_entropy(twin(X), Y).backward()

    assert loss.item() == pytest.approx(first.item())
    assert len(seen) == 2
    for moved, q in zip(seen[1], twin.parameters(), strict=True):
        assert torch.allclose(moved, q, atol=1e-12)
    for p, old, q in zip(model.parameters(), start, twin.parameters(), strict=True):
        assert torch.allclose(p, old - 0.1 * q.grad, atol=1e-12)
    if not adaptive:
        offset = torch.cat([(a - b).flatten() for a, b in zip(seen[1], start, strict=True)])
        assert offset.norm().item() == pytest.approx(0.2)


def test_radius_zero_is_the_base_optimizer_bit_for_bit():
    plain, wrapped = network(), network()
    base = torch.optim.SGD(plain.parameters(), 0.1, momentum=0.9)
    sam = SAM(torch.optim.SGD(wrapped.parameters(), 0.1, momentum=0.9), rho=0.0)
    for _ in range(3):
        base.step(closure_for(plain, base))
        sam.step(closure_for(wrapped, sam))
    assert identical(plain, wrapped)


def test_saved_and_loaded_it_continues_bit_identically():
    straight, broken = network(), network()

    def make(model):
        return SAM(torch.optim.SGD(model.parameters(), 0.1, momentum=0.9))

    one, two = make(straight), make(broken)
    for _ in range(4):
        one.step(closure_for(straight, one))
    for _ in range(2):
        two.step(closure_for(broken, two))
    three = make(broken)
    three.load_state_dict(two.state_dict())
    for _ in range(2):
        three.step(closure_for(broken, three))
    assert identical(straight, broken)


def test_an_exception_in_the_second_pass_leaves_the_parameters_clean():
    model = network()
    sam = SAM(torch.optim.SGD(model.parameters(), 0.1))
    start = [p.detach().clone() for p in model.parameters()]
    calls = []

    def evaluate():
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("boom")
        return closure_for(model, sam)()

    with pytest.raises(RuntimeError, match="boom"):
        sam.step(evaluate)
    assert all(torch.equal(p, old) for p, old in zip(model.parameters(), start, strict=True))


def test_zero_and_infinite_gradients_move_nothing():
    p = nn.Parameter(torch.ones(3))
    sam = SAM(torch.optim.SGD([p], 0.0))
    for gradient in (0.0, float("inf")):
        seen = []

        def evaluate(gradient=gradient, seen=seen):
            seen.append(p.detach().clone())
            p.grad = torch.full((3,), gradient)
            return torch.zeros(())

        sam.step(evaluate)
        assert torch.equal(seen[1], torch.ones(3))
        p.grad = None
        with torch.no_grad():
            p.fill_(1.0)


def test_negative_radius_is_named():
    with pytest.raises(ValueError, match="rho"):
        SAM(torch.optim.SGD(network().parameters(), 0.1), rho=-0.1)
