"""Gaussian neighbourhood minimisation: gradients at a random neighbour, steps at the centre."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from npt_plugin.optim.noise import NoiseStream
from npt_plugin.optim.wrapper import OptimizerWrapper

SCHEDULES = ("constant", "halve", "cosine")


class GNM(OptimizerWrapper):
    """Minimise E_eps L(theta + r eps), eps ~ N(0, sigma^2) clamped: one draw of eps a step.

    One forward and one backward a step, whatever the loss:

        with gnm.perturbed():
            loss = ...            # forward at theta + r eps
            loss.backward()       # scaler.scale(loss).backward() under AMP
        gnm.step()                # or scaler.step(gnm); acts at theta

    Micro-batches between two steps see the same eps. If a GradScaler skips the step, theta is
    back all the same and the next batch sees that eps once more.

    Radius at epoch e: r = rho * scale times
        constant  1
        halve     0.5^floor(max(e - 1, 0) / E), E the last epoch before deferred re-weighting;
                  constant if E <= 0 (deferred re-weighting off)
        cosine    (1 + cos(pi e / max_epoch)) / 2
    Source: GNM-PT (NeurIPS 2024), eq. (1)-(3); sizes as released (0.05, 0.1, 1/3). Ours: the
    noise is drawn on the parameter's device from a generator of its own, what moves is exactly
    what comes back, and epoch 0 does not double the radius.

    Args:
        optimizer: Any torch optimiser.
        rho: Radius, >= 0; 0 leaves the base optimiser bit-identical and draws nothing.
        scale: Second factor of the radius, >= 0.
        sigma: Standard deviation of the noise before clamping.
        clamp: Largest absolute noise.
        schedule: ``constant``, ``halve`` or ``cosine``.
        drw_epoch: E of ``halve``.
        max_epoch: Of ``cosine``, > 0.
        seed: Of the noise.
        params: Parameters to perturb; None: all trainable ones that the optimiser holds.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        rho: float = 0.05,
        scale: float = 0.1,
        sigma: float = 1 / 3,
        clamp: float = 1.0,
        schedule: str = "constant",
        drw_epoch: int = -1,
        max_epoch: int = 0,
        seed: int = 0,
        params: Iterable[Tensor] | None = None,
    ) -> None:
        super().__init__(optimizer, params)
        if rho < 0 or scale < 0:
            raise ValueError(f"rho and scale must be >= 0, got {rho} and {scale}")
        if schedule not in SCHEDULES:
            raise ValueError(f"schedule must be one of {SCHEDULES}, got {schedule!r}")
        if schedule == "cosine" and max_epoch < 1:
            raise ValueError(f"the cosine schedule needs max_epoch >= 1, got {max_epoch}")
        self.base_radius, self.schedule = rho * scale, schedule
        self.drw_epoch, self.max_epoch = drw_epoch, max_epoch
        self.stream = NoiseStream(seed, sigma, clamp)
        self._step_start: dict[str, Tensor] | None = None  # noise state this step draws from
        optimizer.register_step_post_hook(self._finish_step)
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Set the radius of an epoch.

        Args:
            epoch: Current epoch, counted from 0.
        """
        factor = 1.0
        if self.schedule == "halve" and self.drw_epoch > 0:
            factor = 0.5 ** (max(epoch - 1, 0) // self.drw_epoch)
        elif self.schedule == "cosine":
            factor = (1 + math.cos(math.pi * min(epoch / self.max_epoch, 1.0))) / 2
        self.radius = self.base_radius * factor

    @contextlib.contextmanager
    def perturbed(self) -> Iterator[None]:
        """Run forward and backward at theta + r eps inside the ``with`` block.

        Yields:
            Nothing; the parameters are back, bit for bit, when the block ends or raises.

        Raises:
            RuntimeError: If they are perturbed already.
        """
        if self.radius == 0:
            yield
            return
        self._refuse_if_moved()
        if self._step_start is None:
            self._step_start = self.stream.state_dict()
        else:  # a further micro-batch of the same step: draw the same numbers again
            self.stream.load_state_dict(self._step_start)
        with self.moved(self.movable(), self._add_noise):
            yield

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step of the base optimiser at the unperturbed parameters.

        Args:
            closure: Clears gradients, computes the loss, calls backward and returns the loss;
                evaluated once, perturbed. None: gradients are there already.

        Returns:
            What the closure returned; without one, what the base optimiser's step returns.
        """
        if closure is None:
            return self.optimizer.step()
        with self.perturbed(), torch.enable_grad():
            loss = closure()
        self.optimizer.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """State of the base optimiser and of the noise.

        Returns:
            ``base`` and ``noise``; in the middle of an accumulated step, the noise state from
            its beginning.

        Raises:
            RuntimeError: If the parameters are perturbed right now.
        """
        noise = self.stream.state_dict() if self._step_start is None else self._step_start
        return {**super().state_dict(), "noise": noise}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue as the saved run would have.

        Args:
            state_dict: What ``state_dict`` gave.

        Raises:
            ValueError: If it was not saved by GNM.
        """
        super().load_state_dict(state_dict)
        self.stream.load_state_dict(state_dict.get("noise", {}))
        self._step_start = None

    def _add_noise(self, p: Tensor, _: int) -> None:
        p.add_(self.stream.draw(p.shape, p.device).mul_(self.radius).to(p.dtype))

    def _finish_step(self, *_: Any) -> None:
        self._step_start = None
