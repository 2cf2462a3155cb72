import pytest
import torch
from minidassl.config import get_cfg_default
from minidassl.optim import build_optimizer
from torch import nn


def node(**options):
    cfg = get_cfg_default().OPTIM
    for name, value in options.items():
        cfg[name] = value
    return cfg


def make_net():
    return nn.ModuleDict({"old": nn.Linear(2, 3), "new": nn.Linear(3, 1)})


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("sgd", torch.optim.SGD, {"momentum": 0.8, "nesterov": True, "dampening": 0}),
        ("adam", torch.optim.Adam, {"betas": (0.7, 0.99), "amsgrad": False}),
        ("amsgrad", torch.optim.Adam, {"betas": (0.7, 0.99), "amsgrad": True}),
        ("adamw", torch.optim.AdamW, {"betas": (0.7, 0.99)}),
        ("radam", torch.optim.RAdam, {"betas": (0.7, 0.99), "decoupled_weight_decay": True}),
        ("rmsprop", torch.optim.RMSprop, {"momentum": 0.8, "alpha": 0.9}),
    ],
)
def test_config_reaches_the_optimiser(name, kind, expected):
    cfg = node(
        NAME=name,
        LR=0.3,
        WEIGHT_DECAY=0.1,
        MOMENTUM=0.8,
        SGD_NESTEROV=True,
        RMSPROP_ALPHA=0.9,
        ADAM_BETA1=0.7,
        ADAM_BETA2=0.99,
    )
    optim = build_optimizer(make_net(), cfg)
    (group,) = optim.param_groups
    assert type(optim) is kind and len(group["params"]) == 4
    for key, value in {"lr": 0.3, "weight_decay": 0.1, **expected}.items():
        assert group[key] == value


@pytest.mark.parametrize("names", ["new", ("new",), ["new", "absent"]])
def test_staged_rates(names):
    net = make_net()
    optim = build_optimizer(net, node(NAME="sgd", LR=0.5, STAGED_LR=True, NEW_LAYERS=names))
    old, new = optim.param_groups
    assert (old["lr"], new["lr"]) == (0.05, 0.5)
    assert {id(p) for p in old["params"]} == {id(p) for p in net["old"].parameters()}
    assert {id(p) for p in new["params"]} == {id(p) for p in net["new"].parameters()}


def test_parameters_or_groups_in_place_of_a_module():
    net = make_net()
    assert len(build_optimizer(net.parameters(), node()).param_groups[0]["params"]) == 4
    groups = [{"params": net["old"].parameters(), "lr": 7.0}, {"params": net["new"].parameters()}]
    with pytest.warns(UserWarning, match="STAGED_LR"):
        optim = build_optimizer(net, node(STAGED_LR=True, LR=0.1), param_groups=groups)
    assert [group["lr"] for group in optim.param_groups] == [7.0, 0.1]


def test_errors_name_the_value():
    with pytest.raises(ValueError, match="'lion'"):
        build_optimizer(make_net(), node(NAME="lion"))
    with pytest.raises(TypeError, match="STAGED_LR"):
        build_optimizer(make_net().parameters(), node(STAGED_LR=True))
