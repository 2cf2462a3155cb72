"""What GNM and SAM share: parameters that are moved for a while and come back."""

import pytest
import torch
from small_network import loss_of, network, same, values
from torch import nn

from npt_plugin.optim import GNM, SAM
from npt_plugin.optim.wrapper import OptimizerWrapper

pytestmark = pytest.mark.numerics


def wrapped(model, **options):
    base = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    return base, OptimizerWrapper(base, **options)


def shift(p, i):
    p.add_(i + 1)


def test_moving_names_each_parameter_by_its_place_and_brings_it_back():
    model = network()
    start = values(model)
    _, wrapper = wrapped(model)
    with wrapper.moved(wrapper.movable(), shift):
        for i, (p, old) in enumerate(zip(model.parameters(), start, strict=True)):
            assert torch.equal(p, old + (i + 1))
        assert not next(model.parameters()).grad_fn  # moved without a graph
    assert same(values(model), start)


def test_it_looks_like_the_optimiser_it_wraps():
    model = network()
    base, wrapper = wrapped(model)
    loss_of(model).backward()
    base.step()
    assert wrapper.param_groups is base.param_groups and wrapper.state is base.state
    wrapper.zero_grad(set_to_none=False)
    assert all(not p.grad.any() for p in model.parameters())
    wrapper.zero_grad()
    assert all(p.grad is None for p in model.parameters())


def test_a_parameter_frozen_later_no_longer_moves():
    model = network()
    _, wrapper = wrapped(model)
    assert len(wrapper.movable()) == 4
    model[0].bias.requires_grad_(False)
    assert len(wrapper.movable()) == 3


def test_nothing_is_done_while_the_parameters_are_moved():
    model = network()
    base, wrapper = wrapped(model)
    loss_of(model).backward()
    with wrapper.moved(wrapper.movable(), shift):
        for act in (base.step, wrapper.state_dict):
            with pytest.raises(RuntimeError, match="perturbed"):
                act()
        with pytest.raises(RuntimeError, match="perturbed"), wrapper.moved([], shift):
            pass
    base.step()  # and afterwards all is well
    assert set(wrapper.state_dict()) == {"base"}


@pytest.mark.parametrize("kind", [GNM, SAM])
def test_the_state_of_a_bare_optimiser_is_refused_by_name(kind):
    base, _ = wrapped(network())
    with pytest.raises(ValueError, match=f"not saved by {kind.__name__}"):
        kind(base).load_state_dict(base.state_dict())


def test_moves_exactly_the_trainable_parameters_of_the_optimizer():
    model = network()
    model[0].bias.requires_grad_(False)
    outside = nn.Parameter(torch.ones(3))
    unused = nn.Parameter(torch.ones(3))  # trainable, never gets a gradient
    gnm = GNM(torch.optim.SGD([*model.parameters(), unused], 0.1), scale=10)
    start = values(model)
    with gnm.perturbed():
        moved = [not torch.equal(a, b) for a, b in zip(values(model), start, strict=True)]
        assert moved == [True, False, True, True]
        assert not torch.equal(unused, torch.ones(3)) and torch.equal(outside, torch.ones(3))
        loss_of(model).backward()
    assert same(values(model), start) and torch.equal(unused, torch.ones(3))


def test_a_chosen_subset_moves_alone():
    model = network()
    gnm = GNM(torch.optim.SGD(model.parameters(), 0.1), params=[model[2].weight])
    start = values(model)
    with gnm.perturbed():
        moved = [not torch.equal(a, b) for a, b in zip(values(model), start, strict=True)]
    assert moved == [False, False, True, False]
    with pytest.raises(ValueError, match="does not update"):
        GNM(torch.optim.SGD(model[0].parameters(), 0.1), params=[model[2].weight])


def test_learning_rate_schedulers_belong_on_the_base():
    gnm = GNM(torch.optim.SGD(network().parameters(), 0.1))
    scheduler = torch.optim.lr_scheduler.StepLR(gnm.optimizer, 1, 0.5)
    gnm.optimizer.step()
    scheduler.step()
    assert gnm.param_groups[0]["lr"] == pytest.approx(0.05)


def test_half_precision_parameters_come_back_bit_for_bit():
    model = network(dtype=torch.bfloat16)
    start = values(model)
    gnm = GNM(torch.optim.SGD(model.parameters(), 0.1), scale=10)
    with gnm.perturbed():
        assert not same(values(model), start)
    assert same(values(model), start)
