"""What GNM and SAM share: they wrap any torch optimiser and move its parameters for a while."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


class OptimizerWrapper:
    """Looks like the optimiser it wraps; learning-rate schedulers stay on ``.optimizer``.

    Momentum, weight decay and everything else of the base optimiser act at the unmoved
    parameters. Stepping, saving or moving again while they are moved raises.

    Args:
        optimizer: Any torch optimiser.
        params: Parameters to move; None: all that the optimiser holds and that require grad.

    Raises:
        ValueError: If ``params`` has a tensor that the optimiser does not hold.
    """

    def __init__(self, optimizer: Optimizer, params: Iterable[Tensor] | None = None) -> None:
        self.optimizer = optimizer
        self._chosen = None if params is None else list(params)
        held = {id(p) for group in optimizer.param_groups for p in group["params"]}
        if any(id(p) not in held for p in self._chosen or []):
            raise ValueError("params holds a tensor that the optimiser does not update")
        self._moved = False
        optimizer.register_step_pre_hook(self._refuse_if_moved)

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The wrapped optimiser's own list of parameter groups."""
        return self.optimizer.param_groups

    @property
    def state(self) -> dict[Tensor, Any]:
        """Per-parameter state of the wrapped optimiser."""
        return self.optimizer.state

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear gradients.

        Args:
            set_to_none: As in torch.
        """
        self.optimizer.zero_grad(set_to_none=set_to_none)

    def state_dict(self) -> dict[str, Any]:
        """State of the wrapped optimiser (momentum and so on) under ``base``.

        Returns:
            Tensors, numbers and strings only, so ``torch.load(weights_only=True)`` reads it.

        Raises:
            RuntimeError: If the parameters are moved right now.
        """
        self._refuse_if_moved()
        return {"base": self.optimizer.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a saved state.

        Args:
            state_dict: What ``state_dict`` gave.

        Raises:
            ValueError: If it is the state of an unwrapped optimiser.
        """
        if "base" not in state_dict:
            raise ValueError(
                f"this state was not saved by {type(self).__name__}; resume with the optimiser "
                "settings of the interrupted run"
            )
        self.optimizer.load_state_dict(state_dict["base"])

    def movable(self) -> list[Tensor]:
        """The parameters to move, read anew each time: one that is frozen later no longer moves."""
        params = self._chosen
        if params is None:
            params = [p for group in self.param_groups for p in group["params"]]
        return [p for p in params if p.requires_grad]

    @contextlib.contextmanager
    def moved(self, params: list[Tensor], move: Callable[[Tensor, int], object]) -> Iterator[None]:
        """Move parameters inside the ``with`` block; exactly these come back, bit for bit.

        They come back also when the block, or ``move`` itself, raises.

        Args:
            params: What to move.
            move: ``move(p, i)`` changes the i-th one in place; gradients are off meanwhile.

        Yields:
            Nothing.

        Raises:
            RuntimeError: If they are moved already.
        """
        self._refuse_if_moved()
        with torch.no_grad():
            saved = [p.clone() for p in params]
        self._moved = True
        try:
            with torch.no_grad():
                for i, p in enumerate(params):
                    move(p, i)
            yield
        finally:
            with torch.no_grad():
                for p, old in zip(params, saved, strict=True):
                    p.copy_(old)
            self._moved = False

    def _refuse_if_moved(self, *_: Any) -> None:
        if self._moved:
            raise RuntimeError(
                "the parameters are perturbed; leave the perturbed() block before stepping, "
                "saving or perturbing again"
            )
