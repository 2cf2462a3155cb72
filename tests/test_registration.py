"""Names in Dassl's registries: ours are added once, a host's are never replaced."""

import pytest

from npt_plugin import registration
from npt_plugin.engine.framework import TRAINER_REGISTRY, trainers_in_use
from npt_plugin.errors import UserError
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


def test_what_is_registered_leaves_again_and_a_hosts_stays(registry, monkeypatch):
    class CoOp:
        __module__ = "trainers.coop"

    undone = []
    monkeypatch.setattr(registration, "undo_all", lambda: undone.append(True))
    monkeypatch.setattr(registration, "DATASET_REGISTRY", type(TRAINER_REGISTRY)("DATASET"))
    registry.register(CoOp)
    registration.register_all(base=True)
    monkeypatch.setattr(registration, "trainers_in_use", lambda: ["NPT_CoOp"])
    with pytest.raises(UserError, match=r"trainers in use rely on: delete them first \(NPT_CoOp"):
        registration.unregister_all()
    assert "NPT_CoOp" in registry.registered_names() and not undone
    monkeypatch.setattr(registration, "trainers_in_use", list)
    registration.unregister_all()
    assert registry.registered_names() == ["CoOp"] and undone


@pytest.mark.slow
def test_in_the_middle_of_use_it_is_refused_and_comes_again(make_trainer):
    """In this process: refused while a trainer is there; then gone, and back with the next."""
    import npt_plugin

    trainer = make_trainer("NPT_CoOp")
    with pytest.raises(UserError, match="NPT_CoOp"):
        npt_plugin.unregister()
    trainer.train()  # as if nothing had been asked
    del trainer
    if not trainers_in_use():  # other tests may keep theirs
        npt_plugin.unregister()
        assert "NPT_CoOp" not in TRAINER_REGISTRY.registered_names()
    npt_plugin.register(base=True)
    assert {"NPT_CoOp", "CoOp"} <= set(TRAINER_REGISTRY.registered_names())
    make_trainer("NPT_CoOp")
