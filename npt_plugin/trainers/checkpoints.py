"""Save and load learned prompts as Dassl does, and resume an interrupted run exactly."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from npt_plugin.errors import UserError
from npt_plugin.runs.config_tree import config_as_dict, config_difference
from npt_plugin.runs.layout import LAST_EPOCH, checkpoint_file
from npt_plugin.runs.versions import arithmetic
from npt_plugin.system import ranks
from npt_plugin.system.files import write_text
from npt_plugin.system.random_state import on_own_device, rng_state, set_rng_state
from npt_plugin.system.safe_checkpoints import read_checkpoint, write_checkpoint
from npt_plugin.trainers.model import PromptedCLIP
from npt_plugin.trainers.progress_file import PROGRESS, ProgressFile, newest_progress

_ONE = {"processes": "1"}
"""What is not said where it is so."""


def save(
    trainer: Any,
    epoch: int,
    directory: str,
    val_result: float | None,
    model_name: str,
    is_best: bool,
) -> None:
    """Write ``<directory>/<model>/model.pth.tar-N`` with the learned tensors only.

    Args:
        trainer: A ``PromptTrainer``.
        epoch: 0-based epoch that has just ended; N is epoch + 1.
        directory: The run's output folder.
        val_result: Validation accuracy in percent, if this is a selection by validation.
        model_name: File name instead of ``model.pth.tar-N``.
        is_best: Also write ``model-best.pth.tar``.
    """
    if not ranks.writes():
        return
    model = trainer.model.checkpoint_name
    with trainer.tested_weights():
        learned = {k: v.cpu() for k, v in trainer.model.checkpoint_state().items()}
    content = {
        "state_dict": learned,
        "epoch": epoch + 1,
        "optimizer": None,
        "scheduler": None,
        "val_result": val_result,
        "trainer": type(trainer).__name__,
        "classnames": list(trainer.classnames),
    }
    file = checkpoint_file(directory, model, epoch + 1)
    if model_name:
        file = file.with_name(model_name)
    write_checkpoint(file, content)
    if is_best:
        write_checkpoint(checkpoint_file(directory, model, None), content)
    average = trainer.epoch_average
    if average is not None and average.last:  # the file above holds the average
        key, last = trainer.model.checkpoint_key, average.last
        plain = {key(name): tensor.cpu() for name, tensor in last.items()}
        write_checkpoint(file.with_name(LAST_EPOCH), {**content, "state_dict": plain})
    write_text(file.with_name("checkpoint"), f"{file.name}\n")
    print(f"Checkpoint saved to {file}")


def load(trainer: Any, directory: str, epoch: int | None) -> None:
    """Load ``<directory>/<model>/model.pth.tar-<epoch>``, or the best model if epoch is None."""
    if not directory:
        print("load_model() is skipped: no model directory was given")
        return
    file = checkpoint_file(directory, trainer.model.checkpoint_name, epoch)
    trainer.tested_epoch = load_into(trainer.model, file)
    trainer.model_dir = str(Path(directory).resolve())


def load_into(model: PromptedCLIP, file: str | Path) -> int | None:
    """Copy the learned tensors of a checkpoint file into ``model``; returns its epoch."""
    checkpoint = read_checkpoint(file)
    model.check_classes(checkpoint.get("classnames") or (), str(file))
    loaded = model.load_checkpoint_state(checkpoint["state_dict"], str(file))
    print(f"Loaded {', '.join(loaded)} from {file} (epoch = {checkpoint.get('epoch')})")
    epoch = checkpoint.get("epoch")
    return epoch if type(epoch) is int else None


def what_is_kept(trainer: Any) -> str:
    """A sentence on the last good epoch of a run that goes wrong."""
    file = Path(trainer.output_dir or ".") / PROGRESS
    if trainer.output_dir and file.exists():
        return f"The last good epoch is kept in {file}."
    return "No epoch had ended, so nothing is kept."


def save_progress(trainer: Any) -> None:
    """Write everything the next epoch depends on; a good file stays beside the new one.

    Raises:
        FloatingPointError: If a learned parameter is not finite; the last good file stays.
    """
    learned = trainer.model.learned()
    for name, parameter in learned.items():
        if not bool(torch.isfinite(parameter).all()):
            raise FloatingPointError(
                f"{name} is not finite after epoch {trainer.epoch + 1}: lower OPTIM.LR or use PREC "
                f"fp32. {what_is_kept(trainer)}"
            )
    if not ranks.writes():
        return
    state = {
        "epoch": trainer.epoch + 1,
        "learned": {n: p.detach().cpu() for n, p in learned.items()},
        "optimizer": trainer.optim.state_dict(),
        "scaler": trainer.scaler.state_dict(),
        "losses": _loss_states(trainer),
        "epoch_average": trainer.epoch_average and trainer.epoch_average.state_dict(),
        "best_result": float(trainer.best_result),
        "train_seconds": trainer.train_seconds,
        "history": trainer.history,
        "most_stacked": trainer.most_stacked,
        "rng": rng_state(),
    }
    if trainer.progress_file is None:
        fixed = {"config": config_as_dict(trainer.cfg), "arithmetic": _arithmetic(trainer)}
        trainer.progress_file = ProgressFile(trainer.output_dir, fixed)
    trainer.progress_file.write(state)


def resume(trainer: Any, directory: str) -> int:
    """Restore the newest undamaged progress file; returns the epoch to go on with.

    Raises:
        UserError: If the run was started with another config; the differing keys are named.
    """
    state = newest_progress(directory)
    if state is None:
        if trainer.cfg.RESUME:
            print(f"No checkpoint found in {directory}, train from scratch")
        return 0
    refuse_other_config(state, directory, trainer.cfg)
    say_other_arithmetic(state, _arithmetic(trainer))
    _restore(trainer, state)
    print(f"Found checkpoint at {directory} (will resume training at epoch {state['epoch'] + 1})")
    return state["epoch"]


def refuse_other_config(state: dict[str, Any] | None, directory: str, cfg: Any) -> None:
    """Refuse to go on from a progress file of another config.

    Raises:
        UserError: Naming the keys that differ.
    """
    differing = config_difference(state["config"], config_as_dict(cfg)) if state else []
    if differing:
        raise UserError(
            f"{directory} holds a run with another config ({'; '.join(differing)}): give another "
            "--output-dir, or delete that folder to start again."
        )


def _arithmetic(trainer: Any) -> dict[str, str]:
    return {**arithmetic(), "device": trainer.device.type}


def say_other_arithmetic(state: dict[str, Any], now: dict[str, str]) -> None:
    """Print a line if a run goes on with other kernels, on another processor or device.

    The resumed run then agrees with the uninterrupted one to rounding, not bit for bit.

    Args:
        state: Of a progress file; those of version 0.1 do not say what they computed with, those
            of 0.2 not on which device.
        now: What this process computes with.
    """
    before = {"device": now["device"], **state.get("arithmetic", now)}
    was = {key: before.get(key, _ONE.get(key)) for key in {**now, **before}}
    is_now = {key: now.get(key, _ONE.get(key)) for key in was}
    changed = [key for key in was if was[key] != is_now[key]]
    if changed:
        said = ", ".join(f"{key} {was[key]} -> {is_now[key]}" for key in changed)
        print(f"Resuming with other arithmetic ({said}): the same results up to rounding")


def _restore(trainer: Any, state: dict[str, Any]) -> None:
    with torch.no_grad():
        for name, parameter in trainer.model.learned().items():
            parameter.copy_(state["learned"][name])
    with warnings.catch_warnings():  # torch expects optimiser steps in between
        warnings.simplefilter("ignore")
        for _ in range(state["epoch"]):
            trainer.sched.step()
    trainer.optim.load_state_dict(state["optimizer"])
    if state["scaler"]:  # empty where the scaler was off, as on a CPU
        trainer.scaler.load_state_dict(state["scaler"])
    for part, saved in zip(_loss_modules(trainer), state["losses"], strict=True):
        part.load_state_dict(saved)
    if trainer.epoch_average is not None:
        trainer.epoch_average.load_state_dict(state["epoch_average"], trainer.device)
    trainer.best_result = state["best_result"]
    trainer.train_seconds, trainer.history = state["train_seconds"], state["history"]
    trainer.most_stacked = state.get("most_stacked", 1)  # version 0.2 knew no stacks
    set_rng_state(on_own_device(state["rng"]))


def _loss_modules(trainer: Any) -> list[Any]:
    """What has a state beside what learns: losses, and averaged weights."""
    parts = (trainer.classification_loss, trainer.objective, getattr(trainer, "ema", None))
    return [part for part in parts if part is not None]


def _loss_states(trainer: Any) -> list[dict[str, Tensor]]:
    return [module.state_dict() for module in _loss_modules(trainer)]
