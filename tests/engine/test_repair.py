"""Repairs of upstream's schedulers, on a class with the same members as upstream's."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch
from torch.optim import SGD, lr_scheduler

from npt_plugin.engine import replaced
from npt_plugin.engine.repair import allow_schedules_of_dassl, repair


@pytest.fixture
def warmup(monkeypatch):
    """A repaired warm-up: one epoch at 1e-5, then the successor's schedule."""

    class _BaseWarmupScheduler(lr_scheduler.LRScheduler):
        def __init__(self, optimizer, successor, warmup_epoch, last_epoch=-1, verbose=False):
            raise TypeError("removed argument")

        def get_lr(self):
            if self.last_epoch >= self.warmup_epoch:
                return self.successor.get_last_lr()
            return [1e-5 for _ in self.base_lrs]

        def step(self, epoch=None):
            if self.last_epoch >= self.warmup_epoch:
                self.successor.step(epoch)
                self._last_lr = self.successor.get_last_lr()
            else:
                super().step(epoch)

    radam = ModuleType("dassl.optim.radam")
    radam.RAdam = type("RAdam", (SGD,), {"__module__": "dassl.optim.radam"})
    for name in ("dassl", "dassl.optim"):
        monkeypatch.setitem(sys.modules, name, sys.modules.get(name) or ModuleType(name))
    monkeypatch.setitem(sys.modules, "dassl.optim.radam", radam)
    listed = torch.serialization.get_safe_globals()
    schedulers = SimpleNamespace(_BaseWarmupScheduler=_BaseWarmupScheduler)
    repair(schedulers)
    repair(schedulers)  # twice is once
    yield _BaseWarmupScheduler
    torch.serialization.clear_safe_globals()
    torch.serialization.add_safe_globals(listed)


def schedule(warmup):
    optimiser = SGD([torch.zeros(1)], lr=1.0, momentum=0.9)
    return optimiser, warmup(optimiser, lr_scheduler.CosineAnnealingLR(optimiser, 6.0), 1)


def rates(optimiser, scheduler, epochs):
    found = []
    for _ in range(epochs):
        found.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()
    return found


def test_a_schedule_warms_up_and_goes_on(warmup):
    optimiser, scheduler = schedule(warmup)
    found = rates(optimiser, scheduler, 4)
    assert found[0] == 1e-5 and found[1] == 1.0 and 1.0 > found[2] > found[3] > 0


def test_a_resumed_schedule_drives_this_runs_optimiser(warmup, tmp_path):
    """The pickled successor belongs to a copy of the optimiser; ours must be the one that moves."""
    straight, scheduler = schedule(warmup)
    whole = rates(straight, scheduler, 6)
    first, scheduler = schedule(warmup)
    rates(first, scheduler, 3)
    state = {"scheduler": scheduler.state_dict(), "optimizer": first.state_dict()}
    torch.save(state, tmp_path / "model.pth.tar-3")
    saved = torch.load(tmp_path / "model.pth.tar-3", weights_only=True)  # on PyTorch's list now
    second, scheduler = schedule(warmup)
    second.load_state_dict(saved["optimizer"])
    scheduler.load_state_dict(saved["scheduler"])
    assert scheduler.successor.optimizer is second
    assert rates(second, scheduler, 3) == pytest.approx(whole[3:], abs=1e-12)


def test_another_dassl_is_left_alone():
    schedulers = SimpleNamespace(_BaseWarmupScheduler=None)
    repair(schedulers)
    repair(SimpleNamespace())
    assert vars(schedulers) == {"_BaseWarmupScheduler": None}


def allowed():
    """What pickles may hold; ``torch.distributed`` adds its own when something first imports it."""
    found = torch.serialization.get_safe_globals()
    return {str(thing) for thing in found if "torch.distributed" not in str(thing)}


def test_on_our_stand_in_a_projects_own_load_takes_what_dassl_wrote(tmp_path, monkeypatch):
    """A warm-up as Dassl pickles it, with an optimiser inside, by names that nobody here has."""
    place = ModuleType("dassl.optim.lr_scheduler")
    kind = type("ConstantWarmupScheduler", (), {"__module__": place.__name__})
    place.ConstantWarmupScheduler = kind
    schedule = kind()
    optimiser = SGD([torch.zeros(1)], lr=1.0, momentum=0.9)
    schedule.successor = lr_scheduler.CosineAnnealingLR(optimiser, 6.0)
    vars(schedule.successor).pop("_is_initial", None)
    with monkeypatch.context() as known:
        for name in ("dassl", "dassl.optim"):
            known.setitem(sys.modules, name, ModuleType(name))
        known.setitem(sys.modules, place.__name__, place)
        content = {"state_dict": {"ctx": torch.ones(2)}, "scheduler": vars(schedule)["successor"]}
        torch.save({**content, "warmup": schedule}, tmp_path / "model.pth.tar-1")
    monkeypatch.setattr(replaced, "_steps", [])
    listed = allowed()
    with pytest.raises(Exception, match="ConstantWarmupScheduler|CosineAnnealingLR"):
        torch.load(tmp_path / "model.pth.tar-1")
    allow_schedules_of_dassl()
    allow_schedules_of_dassl()  # twice is once
    try:
        loaded = torch.load(tmp_path / "model.pth.tar-1")
        assert torch.equal(loaded["state_dict"]["ctx"], torch.ones(2))
        assert type(loaded["warmup"]) is not kind and not hasattr(type(loaded["warmup"]), "step")
    finally:
        replaced.undo_all()
    assert allowed() == listed
