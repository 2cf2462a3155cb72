"""What we put into other packages is on a list, and comes out again in one go."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from npt_plugin.engine import replaced
from npt_plugin.errors import UserError

LABEL, MODE = "data_manager.build_dataset", "torch.overrides: a function mode"


@pytest.fixture(autouse=True)
def nothing_is_done(monkeypatch):
    monkeypatch.setattr(replaced, "_steps", [])


def test_what_is_replaced_comes_back_the_last_first():
    owner, order = SimpleNamespace(build_dataset=1), []
    replaced.replace(LABEL, owner, 2)
    replaced.added(MODE, lambda: order.append(owner.build_dataset))
    replaced.replace(LABEL, owner, 3)
    assert owner.build_dataset == 3 and replaced.is_done(LABEL, owner)
    replaced.undo_all()
    assert owner.build_dataset == 1 and order == [2] and not replaced.is_done(LABEL, owner)
    replaced.undo_all()
    assert owner.build_dataset == 1


def test_what_an_object_had_from_its_class_is_its_classs_again():
    class Registry:
        def register(self):
            """The class's."""

    registry = Registry()
    replaced.replace("Registry.register", registry, None)
    replaced.undo_all()
    assert vars(registry) == {} and registry.register.__doc__ == "The class's."


def test_what_is_not_on_the_list_is_not_touched():
    owner = SimpleNamespace(other=1)
    with pytest.raises(ValueError, match="owner.other is not in REPLACED"):
        replaced.replace("owner.other", owner, 2)
    with pytest.raises(ValueError, match="a global is not in ADDED"):
        replaced.added("a global", lambda: None)
    assert owner.other == 1


def test_who_replaced_it_after_us_is_not_overrun():
    first, second = SimpleNamespace(build_dataset=1), SimpleNamespace(build_dataset=1)
    replaced.replace(LABEL, first, 2)
    replaced.replace(LABEL, second, 2)
    first.build_dataset = "somebody's"
    with pytest.raises(UserError, match="cannot undo data_manager.build_dataset: something else"):
        replaced.undo_all()
    assert second.build_dataset == 2 and first.build_dataset == "somebody's"
    first.build_dataset = 2
    replaced.undo_all()
    assert first.build_dataset == second.build_dataset == 1
