"""One step of each optimiser, with and without a gradient scaler."""

import pytest
import torch
from small_network import loss_of, network, same, values
from tolerance import DOUBLE

from npt_plugin.errors import UserError
from npt_plugin.optim import GNM, SAM, take_step
from npt_plugin.optim.noise import NoiseStream

pytestmark = pytest.mark.numerics

OFF = torch.amp.GradScaler("cpu", enabled=False)


def sgd(model):
    return torch.optim.SGD(model.parameters(), 0.1)


def backward_of(model, optimizer, scaler=OFF, seen=None):
    def backward():
        optimizer.zero_grad()
        if seen is not None:
            seen.append(values(model))
        loss = loss_of(model)
        scaler.scale(loss).backward()
        return loss

    return backward


def test_a_plain_optimiser_steps_as_by_hand():
    model, twin = network(), network()
    optimizer, by_hand = sgd(model), sgd(twin)
    take_step(optimizer, OFF, backward_of(model, optimizer))
    loss_of(twin).backward()
    by_hand.step()
    assert same(values(model), values(twin))


def test_gnm_takes_its_gradient_at_the_neighbour_and_steps_at_the_centre():
    model, twin = network(), network()
    gnm, seen = GNM(sgd(model), rho=0.5, scale=1.0, seed=3), []
    take_step(gnm, OFF, backward_of(model, gnm, seen=seen))
    start, noise = values(twin), NoiseStream(3)
    with torch.no_grad():
        for p in twin.parameters():
            p.add_(noise.draw(p.shape, p.device) * 0.5)
    assert len(seen) == 1 and same(seen[0], values(twin))
    loss_of(twin).backward()
    for p, old, q in zip(model.parameters(), start, twin.parameters(), strict=True):
        assert torch.allclose(p, old - 0.1 * q.grad, atol=DOUBLE)


def test_sam_calls_backward_twice():
    model, seen = network(), []
    sam = SAM(sgd(model), rho=0.3)
    start = values(model)
    take_step(sam, OFF, backward_of(model, sam, seen=seen))
    assert len(seen) == 2 and same(seen[0], start)
    offset = torch.cat([(a - b).flatten() for a, b in zip(seen[1], start, strict=True)])
    assert offset.norm().item() == pytest.approx(0.3)


@pytest.mark.numerics(single=True)  # GradScaler keeps its scale in float32
@pytest.mark.parametrize("wrap", [lambda o: o, lambda o: GNM(o, rho=0.0)])
def test_a_scaler_s_factor_does_not_reach_the_parameters(wrap):
    model, twin = network(), network()
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    optimizer, plain = wrap(sgd(model)), sgd(twin)
    take_step(optimizer, scaler, backward_of(model, optimizer, scaler))
    take_step(plain, OFF, backward_of(twin, plain))
    assert same(values(model), values(twin))  # a power of two changes no digit


def test_sam_under_amp_is_refused_before_anything_moves():
    model = network()
    sam, start = SAM(sgd(model)), values(model)
    with pytest.raises(UserError, match="OPTIM.SAM.ENABLED does not go with PREC amp"):
        take_step(sam, torch.amp.GradScaler("cpu"), backward_of(model, sam))
    assert same(values(model), start)
