"""One optimiser step, whichever optimiser: plain, GNM (perturbed gradient) or SAM (two passes)."""

from __future__ import annotations

from collections.abc import Callable

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
    if isinstance(optimizer, GNM):
        with optimizer.perturbed():
            backward()
    else:
        backward()
    scaler.step(optimizer)  # type: ignore[arg-type]  # GNM has what a scaler needs of an optimiser
    scaler.update()
