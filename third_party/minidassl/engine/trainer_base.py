"""The skeleton of training: epochs, hooks, one optimisation step, TensorBoard."""

from __future__ import annotations

from typing import Any

import torch

from minidassl.engine.model_store import ModelStore


class TrainerBase(ModelStore):
    """Base of iterative trainers.

    ``train`` runs ``before_train``, then for each epoch ``before_epoch``, ``run_epoch``,
    ``after_epoch``, then ``after_train``.
    """

    def __init__(self) -> None:
        super().__init__()
        self._writer: Any = None

    def init_writer(self, log_dir: str) -> None:
        """Start writing TensorBoard events, if TensorBoard is installed.

        Args:
            log_dir: Folder of the events.
        """
        if getattr(self, "_writer", None) is not None:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            print("TensorBoard is not installed: scalars go to the log only")
            return
        print(f"Initialize tensorboard (log_dir={log_dir})")
        self._writer = SummaryWriter(log_dir=log_dir)

    def close_writer(self) -> None:
        """Finish the TensorBoard file."""
        if self._writer is not None:
            self._writer.close()

    def write_scalar(self, tag: str, scalar_value: Any, global_step: int | None = None) -> None:
        """Write a number to TensorBoard; does nothing outside of training.

        Args:
            tag: Its name.
            scalar_value: Number or one-element tensor.
            global_step: Position on the time axis.
        """
        if self._writer is not None:
            self._writer.add_scalar(tag, scalar_value, global_step)

    def train(self, start_epoch: int, max_epoch: int) -> None:
        """Run the epochs and the hooks around them.

        Args:
            start_epoch: First epoch, from 0; ``before_train`` may move it.
            max_epoch: Epoch to stop before.
        """
        self.start_epoch, self.max_epoch = start_epoch, max_epoch
        self.before_train()
        for epoch in range(self.start_epoch, self.max_epoch):
            self.epoch = epoch
            self.before_epoch()
            self.run_epoch()
            self.after_epoch()
        self.after_train()

    def before_train(self) -> None:
        """Do what is needed once before the first epoch."""

    def after_train(self) -> None:
        """Do what is needed once after the last epoch."""

    def before_epoch(self) -> None:
        """Do what is needed before each epoch."""

    def after_epoch(self) -> None:
        """Do what is needed after each epoch."""

    def run_epoch(self) -> None:
        """Train one epoch."""
        raise NotImplementedError

    def test(self) -> Any:
        """Evaluate the model."""
        raise NotImplementedError

    def parse_batch_train(self, batch: Any) -> Any:
        """Take what training needs out of a batch, on the right device."""
        raise NotImplementedError

    def parse_batch_test(self, batch: Any) -> Any:
        """Take what testing needs out of a batch, on the right device."""
        raise NotImplementedError

    def forward_backward(self, batch: Any) -> dict[str, Any]:
        """Do one training step and return numbers to print."""
        raise NotImplementedError

    def model_inference(self, input: Any) -> torch.Tensor:
        """Compute the scores of a batch."""
        raise NotImplementedError

    def detect_anomaly(self, loss: torch.Tensor) -> None:
        """Stop training on a loss that is not finite.

        Args:
            loss: Tensor of any shape.

        Raises:
            FloatingPointError: It is infinite or not a number.
        """
        if not torch.isfinite(loss).all():
            raise FloatingPointError("Loss is infinite or NaN!")

    def _chosen_optims(self, names: str | list[str] | None) -> list[torch.optim.Optimizer]:
        chosen = (self._optims[name] for name in self.get_model_names(names))
        return [optim for optim in chosen if optim is not None]

    def model_zero_grad(self, names: str | list[str] | None = None) -> None:
        """Clear gradients.

        Args:
            names: Of which models; None for all.
        """
        for optim in self._chosen_optims(names):
            optim.zero_grad()

    def model_backward(self, loss: torch.Tensor) -> None:
        """Compute gradients of a finite loss.

        Args:
            loss: Scalar.
        """
        self.detect_anomaly(loss)
        loss.backward()

    def model_update(self, names: str | list[str] | None = None) -> None:
        """Step the optimisers.

        Args:
            names: Of which models; None for all.
        """
        for optim in self._chosen_optims(names):
            optim.step()

    def model_backward_and_update(
        self, loss: torch.Tensor, names: str | list[str] | None = None
    ) -> None:
        """Clear gradients, compute new ones, step.

        Args:
            loss: Scalar.
            names: Which models to update; None for all.
        """
        self.model_zero_grad(names)
        self.model_backward(loss)
        self.model_update(names)
