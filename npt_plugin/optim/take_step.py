"""One optimiser step, whichever optimiser: plain, GNM (perturbed gradient) or SAM (two passes)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor
from torch.optim import Optimizer

from npt_plugin.errors import UserError
from npt_plugin.optim.gnm import GNM
from npt_plugin.optim.sam import SAM


def take_step(
    optimizer: Optimizer | GNM | SAM, scaler: torch.amp.GradScaler, backward: Callable[[], Tensor]
) -> None:
    """Compute gradients where the optimiser wants them, then step.

    Args:
        optimizer: What ``wrap_optimizer`` gave.
        scaler: Gradient scaler; one that is not enabled changes nothing.
        backward: Clears gradients, computes the loss, calls backward on the scaled loss and
            returns the loss.

    Raises:
        UserError: For SAM under AMP, whose scaler takes no closure.
    """
    if isinstance(optimizer, SAM):
        if scaler.is_enabled():
            raise UserError("OPTIM.SAM.ENABLED does not go with PREC amp: use fp32, fp16 or bf16.")
        optimizer.step(backward)
        return
    with gradient_point(optimizer):
        backward()
    update(optimizer, scaler)


def gradient_point(optimizer: Optimizer | GNM) -> AbstractContextManager[None]:
    """Inside, the parameters are where the optimiser wants its one gradient of a step."""
    return optimizer.perturbed() if isinstance(optimizer, GNM) else nullcontext()


def update(optimizer: Optimizer | GNM, scaler: torch.amp.GradScaler) -> None:
    """Step by gradients that are there."""
    scaler.step(optimizer)  # type: ignore[arg-type]  # GNM has what a scaler needs of an optimiser
    scaler.update()
