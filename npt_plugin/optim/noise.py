"""Clipped Gaussian noise whose generator is its own, lives on the device and can be resumed."""

from __future__ import annotations

import torch
from torch import Tensor
from yacs.config import CfgNode


def noise_seed(cfg: CfgNode) -> int:
    """Seed of a run's noise: ``SEED``, or a fresh one where that is negative (unseeded).

    Args:
        cfg: A config; 0 if it has no ``SEED``.

    Returns:
        A seed >= 0.
    """
    seed = int(cfg.get("SEED", 0))
    return seed if seed >= 0 else int(torch.randint(2**31, ()))


class NoiseStream:
    """Draws min(max(N(0, sigma^2), -clamp), clamp) on the device the caller asks for.

    The global random state is neither read nor moved, so switching noise on changes no other
    draw. One generator per device, all seeded alike, created at the first draw there.

    Args:
        seed: Seed of every generator; 0 is a seed.
        sigma: Standard deviation before clamping, > 0.
        clamp: Largest absolute value, > 0; 3 sigma by default, as GNM-PT and GCL have it.
    """

    def __init__(self, seed: int = 0, sigma: float = 1 / 3, clamp: float = 1.0) -> None:
        self.seed, self.sigma, self.clamp = seed, sigma, clamp
        self._generators: dict[str, torch.Generator] = {}
        self._pending: dict[str, Tensor] = {}  # loaded states of generators not created yet

    def draw(self, shape: torch.Size, device: torch.device) -> Tensor:
        """The next noise tensor.

        Args:
            shape: Of the result.
            device: Of the result, and of the generator.

        Returns:
            ``shape``, float32: in half precision the tails would be coarse.
        """
        generator = self.generator(device)
        noise = torch.randn(shape, generator=generator, device=device, dtype=torch.float32)
        return noise.mul_(self.sigma).clamp_(-self.clamp, self.clamp)

    def generator(self, device: torch.device) -> torch.Generator:
        """The generator of one device.

        Args:
            device: CPU, CUDA or any device torch can draw on.

        Returns:
            The live generator.
        """
        name = str(device)
        if name not in self._generators:
            self._generators[name] = torch.Generator(device=device).manual_seed(self.seed)
            if name in self._pending:
                self._generators[name].set_state(self._pending.pop(name))
        return self._generators[name]

    def state_dict(self) -> dict[str, Tensor]:
        """State of each generator by device name, as CPU byte tensors."""
        live = {name: g.get_state() for name, g in self._generators.items()}
        return {**self._pending, **live}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Continue from a saved state.

        Args:
            state: What ``state_dict`` gave.
        """
        self._generators = {}
        self._pending = {name: saved.cpu().clone() for name, saved in state.items()}
