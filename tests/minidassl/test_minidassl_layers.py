import pytest
import torch
from minidassl.utils import (
    count_num_param,
    init_network_weights,
    open_all_layers,
    open_specified_layers,
    set_bn_to_eval,
)
from torch import nn


def make_net():
    return nn.ModuleDict({"body": nn.Linear(2, 3), "norm": nn.BatchNorm1d(3)})


def test_open_specified_and_all_layers():
    net = make_net()
    open_specified_layers(net, "norm")
    assert not net["body"].weight.requires_grad and net["norm"].weight.requires_grad
    assert not net["body"].training and net["norm"].training
    open_all_layers(net)
    assert net["body"].weight.requires_grad and net["body"].training
    net.apply(set_bn_to_eval)
    assert net["body"].training and not net["norm"].training


def test_unknown_layer_is_named():
    with pytest.raises(AssertionError, match="tail"):
        open_specified_layers(make_net(), ["body", "tail"])


def test_count():
    net = make_net()
    assert count_num_param(net) == 9 + 6
    assert count_num_param(params=net["body"].parameters()) == 9
    assert count_num_param(params=[{"params": torch.zeros(4, 2)}]) == 8
    assert count_num_param(params=[{"params": list(net.parameters())}]) == 15
    with pytest.raises(ValueError):
        count_num_param()


@pytest.mark.parametrize("kind", ["normal", "xavier", "kaiming", "orthogonal"])
def test_init(kind):
    torch.manual_seed(0)
    net = make_net()
    with torch.no_grad():
        net["norm"].weight.fill_(3)
    before = net["body"].weight.clone()
    init_network_weights(net, kind)
    assert not torch.equal(net["body"].weight, before) and net["body"].bias.abs().sum() == 0
    assert net["norm"].weight.tolist() == [1, 1, 1]


def test_unknown_init():
    with pytest.raises(NotImplementedError):
        init_network_weights(make_net(), "zeros")
