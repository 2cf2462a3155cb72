"""Schedulers whose state is plain data, and a warm-up phase in front of any of them."""

from __future__ import annotations

from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, MultiStepLR, StepLR

_PLAIN = (bool, int, float, str)


def _is_plain(value: Any) -> bool:
    return all(type(v) in _PLAIN for v in (value if isinstance(value, list) else [value]))


class PlainState:
    """Mix-in: a scheduler's state dictionary holds numbers, text and lists of them only.

    Settings that are objects (milestones, say) come from the config on construction and need no
    saving.
    """

    def state_dict(self) -> dict[str, Any]:
        """Return the plain part of the state.

        Returns:
            A dictionary that ``torch.load(weights_only=True)`` accepts.
        """
        return {key: value for key, value in vars(self).items() if _is_plain(value)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the plain part of the state.

        Args:
            state_dict: What ``state_dict`` returned.
        """
        vars(self).update(state_dict)


class PlainStepLR(PlainState, StepLR):
    """``StepLR`` with plain state."""


class PlainMultiStepLR(PlainState, MultiStepLR):
    """``MultiStepLR`` with plain state."""


class PlainCosineLR(PlainState, CosineAnnealingLR):
    """``CosineAnnealingLR`` with plain state."""


class WarmUp(PlainState, LRScheduler):
    """Run some epochs at warm-up rates, then hand over to another schedule.

    Epoch 0 has the rate ``first_lr``. Later warm-up epochs have it too, or, when ``linear``, the
    share epoch/epochs of the full rate. The first epoch after the warm-up has the rate the next
    schedule starts with.

    Args:
        optimizer: Whose rates to set.
        after: The schedule to follow, already built on the same optimiser.
        epochs: Length of the warm-up.
        first_lr: Rate of the first epoch.
        linear: Climb instead of staying constant.
    """

    def __init__(
        self, optimizer: Optimizer, after: LRScheduler, epochs: int, first_lr: float, linear: bool
    ) -> None:
        self.after = after
        self.epochs = epochs
        self.first_lr = first_lr
        self.linear = linear
        super().__init__(optimizer)

    @property
    def warming(self) -> bool:
        """Whether the next step still belongs to the warm-up."""
        return self.last_epoch < self.epochs

    def get_lr(self) -> list[float]:
        """Compute the rates of the current epoch.

        Returns:
            One rate for each parameter group.
        """
        if not self.warming:
            return self.after.get_last_lr()
        if self.linear and self.last_epoch > 0:
            return [lr * self.last_epoch / self.epochs for lr in self.base_lrs]
        return [self.first_lr] * len(self.base_lrs)

    def step(self, epoch: int | None = None) -> None:
        """Go on to the next epoch.

        Args:
            epoch: Accepted for compatibility; leave it out.
        """
        if self.warming:
            super().step(epoch)
            return
        self.after.step(epoch)
        self._last_lr = self.after.get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        """Return the plain state of this and of the following schedule.

        Returns:
            A dictionary; the following schedule's is under ``after``.
        """
        return {**super().state_dict(), "after": self.after.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore both states.

        Args:
            state_dict: What ``state_dict`` returned.
        """
        own = dict(state_dict)
        self.after.load_state_dict(own.pop("after"))
        super().load_state_dict(own)
