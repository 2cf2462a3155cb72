"""Exponential moving average of learned weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class AveragedWeights:
    """avg <- d avg + (1 - d) w after every step, with d = min(decay, (1 + t) / (10 + t)).

    The ramp lets the average follow the first t steps; short runs would else keep their start.

    Sources: averaging, Polyak and Juditsky 1992; with this ramp, the averages of Inception,
    Szegedy et al. 2016, arXiv:1512.00567, as released.

    Args:
        weights: What learns.
        decay: In (0, 1).
    """

    def __init__(self, weights: Iterable[nn.Parameter], decay: float) -> None:
        self.weights, self.decay, self.steps = list(weights), decay, 0
        self.averages = [w.detach().clone() for w in self.weights]

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights as they are now."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for average, weight in zip(self.averages, self.weights, strict=True):
            average.lerp_(weight, 1 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The weights are the averages inside; afterwards they are what they were, bit for bit."""
        before = [w.detach().clone() for w in self.weights]
        self._put(self.averages)
        try:
            yield
        finally:
            self._put(before)

    @torch.no_grad()
    def _put(self, values: Iterable[Tensor]) -> None:
        for weight, value in zip(self.weights, values, strict=True):
            weight.copy_(value)

    def state_dict(self) -> dict[str, Tensor]:
        """Averages in the order of the weights, and the number of steps."""
        named = {str(i): average for i, average in enumerate(self.averages)}
        return {"steps": torch.tensor(self.steps), **named}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from what ``state_dict`` gave."""
        self.steps = int(state["steps"])
        for i, average in enumerate(self.averages):
            average.copy_(state[str(i)])
