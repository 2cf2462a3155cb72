"""``RAdam`` under the name and with the arguments that code written for Dassl uses."""

from __future__ import annotations

from typing import Any

import torch

from minidassl.errors import ConfigError


class RAdam(torch.optim.RAdam):
    """Rectified Adam; weight decay apart from the gradient, as Dassl's.

    Args:
        params: What to optimise.
        lr: Learning rate.
        betas: Decay of both running means.
        eps: Added to the denominator.
        weight_decay: Its coefficient.
        degenerated_to_sgd: Steps before the rectification holds are those of momentum SGD.

    Raises:
        ConfigError: If they are to be left out, which PyTorch's optimiser does not do.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        degenerated_to_sgd: bool = True,
    ) -> None:
        if not degenerated_to_sgd:
            raise ConfigError("RAdam with degenerated_to_sgd=False needs upstream Dassl.")
        super().__init__(params, lr, betas, eps, weight_decay, decoupled_weight_decay=True)
