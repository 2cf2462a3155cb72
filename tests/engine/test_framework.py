"""Which engine is chosen, and what is said where it cannot be."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

import pytest

from npt_plugin.engine import framework
from npt_plugin.errors import UserError, user_errors


@pytest.fixture
def choose(monkeypatch):
    """``choose(wanted, installed=..., alias=...)``: the choice in such a process."""

    def call(wanted: str = "", installed: bool = True, alias: bool = False) -> str:
        find = importlib.util.find_spec
        present = {"dassl": installed, "minidassl": True}

        def find_spec(name: str) -> object:
            return (present[name] or None) if name in present else find(name)

        monkeypatch.setenv("NPT_FRAMEWORK", wanted)
        monkeypatch.setattr(importlib.util, "find_spec", find_spec)
        for name in ("dassl", "minidassl"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        if alias:
            for name in ("dassl", "minidassl"):
                monkeypatch.setitem(sys.modules, name, ALIAS)
        return framework._choose()

    return call


ALIAS = ModuleType("minidassl")


@pytest.mark.parametrize(
    "how, chosen",
    [
        ({}, "dassl"),
        ({"installed": False}, "minidassl"),
        ({"wanted": "minidassl"}, "minidassl"),
        ({"wanted": "dassl"}, "dassl"),
        ({"alias": True}, "minidassl"),  # a host without Dassl runs on minidassl under that name
    ],
)
def test_the_choice(choose, how, chosen):
    assert choose(**how) == chosen


def test_what_cannot_be_chosen_is_one_sentence(choose):
    with pytest.raises(UserError, match="NPT_FRAMEWORK is 'Dassl'; allowed are dassl and minid"):
        choose("Dassl")
    with pytest.raises(UserError, match="asks for dassl, which is not installed"):
        choose("dassl", installed=False)


def test_names_come_from_the_engine_in_use():
    for thing in (framework.TrainerX, framework.DatasetBase, framework.MetricMeter):
        assert thing.__module__.split(".")[0] == framework.BACKEND


@pytest.mark.skipif(framework.BACKEND != "minidassl", reason="minidassl's own errors")
def test_its_errors_are_the_users():
    from minidassl.errors import ConfigError, DataError

    assert {ConfigError, DataError} < set(user_errors())
