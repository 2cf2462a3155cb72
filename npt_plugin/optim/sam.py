"""Sharpness-aware minimisation (SAM) and its adaptive form (ASAM), for comparison with GNM."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from npt_plugin.geometry import promote
from npt_plugin.optim.wrapper import OptimizerWrapper


class SAM(OptimizerWrapper):
    """Gradients at the worst neighbour: theta + rho g/||g||, then a step at theta.

    Two forward and backward passes a step. ASAM moves by rho T^2 g / ||T g|| with
    T = |theta| + eta, so that rescaling weights does not change what "near" means.
    The direction does not depend on the scale of g, so a GradScaler's scaled gradients give the
    same neighbour; where ||g|| is 0 or not finite nothing moves.
    Sources: Foret et al. 2021, arXiv:2010.01412; Kwon et al. 2021, arXiv:2102.11600.

    Args:
        optimizer: Any torch optimiser.
        rho: Radius over all moved parameters together, >= 0 (ASAM's paper uses 0.5 to 1).
        adaptive: ASAM instead of SAM.
        eta: Added to |theta| by ASAM.
        params: Parameters to move; None: all trainable ones that the optimiser holds.

    Raises:
        ValueError: If ``rho`` is negative.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        rho: float = 0.05,
        adaptive: bool = False,
        eta: float = 0.01,
        params: Iterable[Tensor] | None = None,
    ) -> None:
        super().__init__(optimizer, params)
        if rho < 0:
            raise ValueError(f"rho must be >= 0, got {rho}")
        self.rho, self.adaptive, self.eta = rho, adaptive, eta

    def set_epoch(self, epoch: int) -> None:
        """Does nothing, as the radius is constant: a trainer can treat SAM and GNM alike.

        Args:
            epoch: Current epoch, counted from 0.
        """

    @torch.no_grad()
    def step(self, closure: Callable[[], Any]) -> Any:
        """One step; the closure is called at theta and, if rho > 0, again at the neighbour.

        Args:
            closure: Clears gradients, computes the loss, calls backward and returns the loss.

        Returns:
            The loss at theta.
        """
        with torch.enable_grad():
            loss = closure()
        params = [p for p in self.movable() if p.grad is not None]
        if self.rho > 0 and params:
            offsets = self._offsets(params)
            with self.moved(params, lambda p, i: p.add_(offsets[i])), torch.enable_grad():
                closure()
        self.optimizer.step()
        return loss

    def _offsets(self, params: list[Tensor]) -> list[Tensor]:
        grads = [promote(p.grad) for p in params if p.grad is not None]
        sizes = [promote(p).abs() + self.eta for p in params]
        stretch = sizes if self.adaptive else [torch.ones_like(g) for g in grads]
        device = grads[0].device
        norms = [(t * g).norm().to(device) for t, g in zip(stretch, grads, strict=True)]
        norm = torch.stack(norms).norm()  # scalar, stays on the device
        usable = torch.isfinite(norm) & (norm > 0)
        factor = torch.where(usable, self.rho / norm, 0.0)
        return [
            torch.where(usable.to(p.device), factor.to(p.device) * t.square() * g, 0).to(p.dtype)
            for p, t, g in zip(params, stretch, grads, strict=True)
        ]
