"""The named models of a trainer, with their optimisers and schedules, and their checkpoints."""

from __future__ import annotations

import os
from typing import Any

from torch import nn

from minidassl.utils import (
    has_checkpoint,
    load_checkpoint,
    resume_from_checkpoint,
    save_checkpoint,
    tolist_if_not,
)

_NO_DIRECTORY = (
    "Note that load_model() is skipped as no pretrained "
    "model is given (ignore this if it's done on purpose)"
)


class ModelStore:
    """Register, save, load and resume models.

    Subclasses call ``super().__init__()`` before registering anything.
    """

    def __init__(self) -> None:
        self._models: dict[str, nn.Module] = {}
        self._optims: dict[str, Any] = {}
        self._scheds: dict[str, Any] = {}

    def register_model(
        self, name: str = "model", model: Any = None, optim: Any = None, sched: Any = None
    ) -> None:
        """Put a model under the care of the trainer.

        Args:
            name: Folder name of its checkpoints.
            model: The module.
            optim: Its optimiser, or None.
            sched: Its learning-rate schedule, or None.

        Raises:
            AttributeError: Called before the constructor of the base class.
            AssertionError: The name is taken.
        """
        if "_models" not in vars(self):
            raise AttributeError("Call super().__init__() before register_model().")
        if name in self._models:
            raise AssertionError(f"A model named {name!r} is registered already.")
        self._models[name], self._optims[name], self._scheds[name] = model, optim, sched

    def get_model_names(self, names: str | list[str] | None = None) -> list[str]:
        """Return names of registered models.

        Args:
            names: One or some of them, to be checked; None for all.

        Returns:
            A list of names.

        Raises:
            AssertionError: A name is not registered.
        """
        if names is None:
            return list(self._models)
        names = tolist_if_not(names)
        unknown = [name for name in names if name not in self._models]
        if unknown:
            raise AssertionError(f"no model named {unknown[0]!r}; there are {list(self._models)}")
        return names

    def save_model(
        self,
        epoch: int,
        directory: str,
        is_best: bool = False,
        val_result: float | None = None,
        model_name: str = "",
    ) -> None:
        """Write a checkpoint of every model into a folder of its name.

        Args:
            epoch: Index of the epoch just finished, from 0.
            directory: Parent folder.
            is_best: Keep a copy as ``model-best.pth.tar``.
            val_result: Stored with it.
            model_name: File name; ``model.pth.tar-EPOCH`` (from 1) when empty.
        """
        for name, model in self._models.items():
            optim, sched = self._optims[name], self._scheds[name]
            state = {
                "state_dict": model.state_dict(),
                "epoch": epoch + 1,
                "optimizer": None if optim is None else optim.state_dict(),
                "scheduler": None if sched is None else sched.state_dict(),
                "val_result": val_result,
            }
            folder = os.path.join(directory, name)
            save_checkpoint(state, folder, is_best=is_best, model_name=model_name)

    def resume_model_if_exist(self, directory: str) -> int:
        """Load the newest checkpoint of every model, if all of them have one.

        Args:
            directory: Parent folder.

        Returns:
            Number of epochs done, 0 when there is nothing to resume.
        """
        folders = {name: os.path.join(directory, name) for name in self._models}
        if not all(has_checkpoint(folder) for folder in folders.values()):
            print("No checkpoint found, train from scratch")
            return 0
        print(f"Found checkpoint at {directory} (will resume training)")
        done = 0
        for name, folder in folders.items():
            done = resume_from_checkpoint(
                folder, self._models[name], self._optims[name], self._scheds[name]
            )
        return done

    def load_model(self, directory: str, epoch: int | None = None) -> None:
        """Load the weights of every model for testing.

        Args:
            directory: Parent folder; empty does nothing but say so.
            epoch: Which checkpoint; None means ``model-best.pth.tar``.

        Raises:
            FileNotFoundError: No such checkpoint.
        """
        if not directory:
            print(_NO_DIRECTORY)
            return
        file = "model-best.pth.tar" if epoch is None else f"model.pth.tar-{epoch}"
        for name, model in self._models.items():
            path = os.path.join(directory, name, file)
            if not os.path.exists(path):
                raise FileNotFoundError(f"No model at {path}")
            checkpoint = load_checkpoint(path)
            result = checkpoint.get("val_result")
            shown = "None" if result is None else f"{result:.1f}"
            print(f"Load {path} to {name} (epoch={checkpoint['epoch']}, val_result={shown})")
            model.load_state_dict(checkpoint["state_dict"])

    def set_model_mode(self, mode: str = "train", names: str | list[str] | None = None) -> None:
        """Switch models between training and evaluation behaviour.

        Args:
            mode: Train, eval or test.
            names: Which models; None for all.

        Raises:
            KeyError: Another mode.
        """
        if mode not in ("train", "eval", "test"):
            raise KeyError(mode)
        for name in self.get_model_names(names):
            self._models[name].train(mode == "train")

    def update_lr(self, names: str | list[str] | None = None) -> None:
        """Step the learning-rate schedules; call it once an epoch.

        Args:
            names: Of which models; None for all.
        """
        for name in self.get_model_names(names):
            if self._scheds[name] is not None:
                self._scheds[name].step()

    def get_current_lr(self, names: str | list[str] | None = None) -> float:
        """Return the rate of the first parameter group of the first model.

        Args:
            names: Which models; None for all.

        Returns:
            The learning rate.
        """
        first = self.get_model_names(names)[0]
        return self._optims[first].param_groups[0]["lr"]
