"""Upstream Dassl on current PyTorch: only what is broken, from outside, each once.

- The warm-up schedulers pass ``LRScheduler`` an argument that PyTorch removed.
- Checkpoints hold a pickled scheduler, which ``torch.load`` refuses by default since 2.6. The
  schedulers and optimisers Dassl can build are put on PyTorch's list of safe classes; loading
  stays weights-only.
- A resumed warm-up schedule would go on with the unpickled copy, which belongs to a copy of the
  optimiser: the learning rate of the run would never change again.

That ``import dassl`` fails without the ``wilds`` package is seen to in ``imports.py``.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import torch
from torch.optim import lr_scheduler

from npt_plugin.engine.replaced import added, is_done, replace
from npt_plugin.system.safe_checkpoints import plain_defaultdict, stand_ins

_SCHEDULERS = ("CosineAnnealingLR", "StepLR", "MultiStepLR")
_OPTIMISERS = ("SGD", "Adam", "AdamW", "RMSprop")
_SAFE = "torch.serialization: safe classes in checkpoints"


def repair(schedulers: ModuleType) -> None:
    """Repair schedulers and checkpoint loading of an imported Dassl; safe to call again.

    Args:
        schedulers: Its ``dassl.optim.lr_scheduler``.
    """
    base = getattr(schedulers, "_BaseWarmupScheduler", None)
    if base is None:  # not upstream
        return
    if is_done("_BaseWarmupScheduler.__init__", base):
        return
    replace("_BaseWarmupScheduler.__init__", base, _init_warmup)
    replace("_BaseWarmupScheduler.load_state_dict", base, _load_warmup)
    allow_in_checkpoints()


def allow_in_checkpoints() -> None:
    """Add what a pickled scheduler consists of to PyTorch's weights-only list."""
    radam = importlib.import_module("dassl.optim.radam")
    wanted = [
        dict,
        plain_defaultdict(),
        *(getattr(lr_scheduler, name) for name in _SCHEDULERS),
        *(getattr(torch.optim, name) for name in _OPTIMISERS),
        radam.RAdam,
    ]
    _allow(wanted)


def allow_schedules_of_dassl() -> None:
    """The same where our stand-in has Dassl's name: what Dassl pickled is read as empty classes.

    A project's own ``torch.load`` then takes checkpoints that upstream or a fork wrote.
    """
    if not is_done(_SAFE):
        _allow(stand_ins())


def _allow(wanted: list[Any]) -> None:
    present = torch.serialization.get_safe_globals()
    ours = [entry for entry in wanted if entry not in present]

    def take_away() -> None:
        kept = [entry for entry in torch.serialization.get_safe_globals() if entry not in ours]
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(kept)

    torch.serialization.add_safe_globals(ours)
    added(_SAFE, take_away)


def _init_warmup(
    self: Any,
    optimizer: torch.optim.Optimizer,
    successor: Any,
    warmup_epoch: int,
    last_epoch: int = -1,
    verbose: bool = False,
) -> None:
    """Constructor of Dassl's warm-up schedulers without the removed ``verbose``."""
    self.successor = successor
    self.warmup_epoch = warmup_epoch
    lr_scheduler.LRScheduler.__init__(self, optimizer, last_epoch)


def _load_warmup(self: Any, state_dict: dict[str, Any]) -> None:
    """Take over a saved schedule but keep the successor that drives this run's optimiser."""
    state = dict(state_dict)
    saved = state.pop("successor", None)
    lr_scheduler.LRScheduler.load_state_dict(self, state)
    if saved is not None:
        numbers = saved if isinstance(saved, dict) else vars(saved)
        kept = {key: value for key, value in numbers.items() if key != "optimizer"}
        self.successor.__dict__.update(kept)
