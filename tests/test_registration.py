"""Names in Dassl's registries: ours are added once, a host's are never replaced."""

import pytest

from npt_plugin import registration
from npt_plugin.engine.framework import TRAINER_REGISTRY
from npt_plugin.trainers import BASE_TRAINERS, NPT_TRAINERS


@pytest.fixture
def registry(monkeypatch):
    """An empty trainer registry, and no data registered."""
    empty = type(TRAINER_REGISTRY)("TRAINER")
    monkeypatch.setattr(registration, "TRAINER_REGISTRY", empty)
    calls = []
    for name in (
        "register_base_datasets",
        "register_imbalanced_datasets",
        "register_host_trainers",
    ):
        monkeypatch.setattr(registration, name, lambda name=name: calls.append(name))
    empty.asked = calls
    return empty


def test_inside_a_host_only_names_no_host_has(registry):
    registration.register_all()
    hyphens = {name.replace("_", "-") for name in NPT_TRAINERS}
    assert set(registry.registered_names()) == set(NPT_TRAINERS) | hyphens
    assert registry.asked == ["register_imbalanced_datasets", "register_host_trainers"]


def test_our_own_script_has_the_published_ones_too(registry):
    registration.register_all(base=True)
    assert set(BASE_TRAINERS) <= set(registry.registered_names())
    assert registry.asked[0] == "register_base_datasets"
    assert not any("-" in name for name in registry.registered_names() if "NPT" not in name)


def test_a_hyphen_is_the_same_trainer_under_another_name(registry):
    registration.register_all()
    for name, trainer in NPT_TRAINERS.items():
        assert registry.get(name) is trainer
        assert issubclass(registry.get(name.replace("_", "-")), trainer)


def test_a_name_that_is_taken_stays_and_twice_is_once(registry):
    class CoOp:
        pass

    registry.register(CoOp)
    registration.register_all(base=True)
    names = registry.registered_names()
    registration.register_all(base=True)
    assert registry.get("CoOp") is CoOp and registry.registered_names() == names
