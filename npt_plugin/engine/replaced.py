"""Everything outside this package that we replace or add to, in two lists, and the way back.

Nothing else in the package may assign to a module or class of another package, or append to a list
of one; ``npt_plugin.unregister()`` undoes all of it. (``datasets/loading.py`` lends Dassl another
``read_image`` while one sample is read.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from npt_plugin.errors import UserError

REPLACED = (
    # upstream Dassl, and forks of it; minidassl offers what is needed
    "SimpleTrainer.__init__",
    "Registry.register",  # of TRAINER_REGISTRY and DATASET_REGISTRY alone
    "data_manager.DatasetWrapper",
    "data_manager.build_dataset",
    "data_manager.build_sampler",
    "data_manager.build_data_loader",
    # upstream Dassl on current PyTorch
    "_BaseWarmupScheduler.__init__",
    "_BaseWarmupScheduler.load_state_dict",
    # only where we run a host's script
    "config.get_cfg_default",
    "engine.build_trainer",
    # only where we run a host's script on a machine without a GPU
    "cuda.current_device",
    "cuda.get_device_capability",
    "cuda.get_device_name",
    "cuda.reset_peak_memory_stats",
    "cuda.set_device",
    "cuda.synchronize",
)
"""Attributes, as ``owner.attribute``."""

ADDED = (
    "sys.meta_path",
    "torch.serialization: safe classes in checkpoints",
    "torch.serialization: where storages go",
    "torch.overrides: a function mode",
    "minidassl: a listener or extension",
)
"""What gets an entry of ours."""

_NOTHING = object()


@dataclass(frozen=True)
class _Step:
    """One thing that was done, and how it is undone."""

    label: str
    owner: Any
    ours: Any
    undo: Callable[[], None]


_steps: list[_Step] = []


def replace(label: str, owner: Any, value: Any) -> None:
    """Give an attribute another value until :func:`undo_all`.

    Args:
        label: Its entry in ``REPLACED``.
        owner: Module, class or object that has it.
        value: What it becomes.
    """
    if label not in REPLACED:
        raise ValueError(f"{label} is not in REPLACED")
    name = label.rpartition(".")[2]
    before = vars(owner).get(name, _NOTHING)

    def undo() -> None:
        if before is _NOTHING:  # the object had its class's
            delattr(owner, name)
        else:
            setattr(owner, name, before)

    setattr(owner, name, value)
    _steps.append(_Step(label, owner, value, undo))


def added(label: str, undo: Callable[[], None], owner: Any = None) -> None:
    """Note that something got an entry of ours.

    Args:
        label: Its entry in ``ADDED``.
        undo: Takes the entry away.
        owner: What got it, to be asked for by :func:`is_done`.
    """
    if label not in ADDED:
        raise ValueError(f"{label} is not in ADDED")
    _steps.append(_Step(label, owner, None, undo))


def is_done(label: str, owner: Any = None) -> bool:
    """Whether ``owner``, or anything if it is None, has been changed under this label."""
    return any(step.label == label and (owner is None or step.owner is owner) for step in _steps)


def undo_all() -> None:
    """Undo everything, the last first.

    Raises:
        UserError: If somebody replaced one of these attributes after us; then nothing is undone.
    """
    latest = {(id(step.owner), step.label): step for step in _steps if step.label in REPLACED}
    for step in latest.values():
        name = step.label.rpartition(".")[2]
        if vars(step.owner).get(name, _NOTHING) is not step.ours:
            raise UserError(
                f"npt_plugin.unregister() cannot undo {step.label}: something else replaced it "
                "after we did; take that back first."
            )
    while _steps:
        _steps.pop().undo()
