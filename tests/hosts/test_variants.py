"""NPT_<Name> for every host trainer, before us or after, never over a host's names."""

from __future__ import annotations

import pytest
from yacs.config import CfgNode

from npt_plugin.engine.framework import TRAINER_REGISTRY, TrainerX
from npt_plugin.errors import UserError
from npt_plugin.hosts.variants import register_host_trainers
from npt_plugin.hosts.wrap import HostNPT
from npt_plugin.trainers import BASE_TRAINERS, NPT_TRAINERS


def host_trainer(name: str, base: type = TrainerX) -> type:
    return type(name, (base,), {"__module__": "trainers.some", "__init__": lambda self, cfg: None})


@pytest.fixture
def registry():
    """An empty registry of the framework's class, with our trainers in it as in a host."""
    registry = type(TRAINER_REGISTRY)("TEST")
    for name, trainer in NPT_TRAINERS.items():
        registry.register(trainer)
        assert trainer.__name__ == name
    return registry


def cfg(base: str):
    return CfgNode({"TRAINER": {"NAME": "NPT_CoOp", "NPT": {"BASE": base, "VERSION": "v3"}}})


@pytest.mark.parametrize("order", ["host first", "plugin first", "decorator after"])
def test_every_host_trainer_gets_a_variant(registry, order):
    host = host_trainer("PromptSRC")
    if order == "host first":
        registry.register(host)
        register_host_trainers(registry)
    else:
        register_host_trainers(registry)
        if order == "plugin first":
            registry.register(host)
        else:
            assert registry.register()(host) is host
    for name in ("NPT_PromptSRC", "NPT-PromptSRC"):
        assert issubclass(registry.get(name), host) and issubclass(registry.get(name), HostNPT)
    assert registry.get("PromptSRC") is host


def test_registering_twice_changes_nothing(registry):
    registry.register(host_trainer("KgCoOp"))
    registry.register(host_trainer("CoOp"))
    register_host_trainers(registry)
    before = {name: registry.get(name) for name in registry.registered_names()}
    register_host_trainers(registry)
    assert before == {name: registry.get(name) for name in registry.registered_names()}


@pytest.mark.parametrize("name", ["NPT_CoOp", "NPT-CoOp"])
def test_base_decides_whose_trainer_it_is(registry, monkeypatch, name):
    made = []
    monkeypatch.setattr(NPT_TRAINERS["NPT_CoOp"], "__init__", lambda self, c: made.append("ours"))
    registry.register(host_trainer("CoOp"))
    register_host_trainers(registry)
    assert registry.get(name).__name__ == name
    assert isinstance(registry.get(name)(cfg("plugin")), NPT_TRAINERS["NPT_CoOp"])
    assert made == ["ours"]
    wrapped = registry.get(name)(cfg("host"))
    assert isinstance(wrapped, HostNPT) and made == ["ours"]
    with pytest.raises(UserError, match="BASE is 'hots'; allowed are plugin and host"):
        registry.get(name)(cfg("hots"))


def test_what_is_not_a_host_trainer_gets_none(registry):
    """Dassl's own trainers, ours, and functions."""
    inside = type("Vanilla", (TrainerX,), {"__module__": "dassl.engine.dg.vanilla"})
    registry.register(inside)
    registry.register(BASE_TRAINERS["MaPLe"])
    before = set(registry.registered_names())
    register_host_trainers(registry)
    assert set(registry.registered_names()) == before


def test_a_name_of_the_host_stays_the_hosts(registry):
    own = host_trainer("NPT_Mine")
    registry.register(own)
    registry.register(host_trainer("Mine"))
    register_host_trainers(registry)
    assert registry.get("NPT_Mine") is own


def test_a_replaced_host_trainer_replaces_its_variant(registry):
    register_host_trainers(registry)
    registry.register(host_trainer("TCP"))
    newer = host_trainer("TCP")
    registry.register(newer, force=True)  # a cell of a notebook, run again
    assert issubclass(registry.get("NPT_TCP"), newer)


def test_host_base_without_a_host_is_refused(make_trainer):
    with pytest.raises(UserError, match="this project has no CoOp of its own"):
        make_trainer("NPT_CoOp", "TRAINER.NPT.BASE", "host")
