"""Numbers to places on a drawing, and round numbers for its axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """A straight axis.

    Attributes:
        low, high: Its ends, in the unit of the values.
        start, stop: Where these ends are drawn.
    """

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> str:
        """Where a value is drawn, as SVG has it."""
        share = (value - self.low) / (self.high - self.low)
        return f"{self.start + share * (self.stop - self.start):.2f}"

    def ticks(self, most: int = 5) -> list[float]:
        """Round numbers between the ends, at most ``most`` + 1."""
        step = _round_step((self.high - self.low) / most)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [n * step for n in range(first, last + 1)]


def scale_of(values: Sequence[float], start: float, stop: float) -> Scale:
    """An axis that holds the values, with a little room at both ends."""
    low, high = min(values), max(values)
    room = 0.06 * (high - low) or 1.0
    return Scale(low - room, high + room, start, stop)


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 5, 10, 20, ... that is not below ``least``."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * f for f in (1, 2, 5, 10) if power * f >= least * (1 - 1e-9))
