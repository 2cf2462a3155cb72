"""Running averages of numbers that training prints."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import torch


def _number(value: float | torch.Tensor) -> float:
    return value.item() if isinstance(value, torch.Tensor) else value


class AverageMeter:
    """Latest value and average of one number.

    Args:
        ema: Average with decay 0.9 instead of over all values.
    """

    def __init__(self, ema: bool = False) -> None:
        self.ema = ema
        self.reset()

    def reset(self) -> None:
        """Forget everything seen."""
        self.val = self.avg = self.sum = self.count = 0

    def update(self, val: float | torch.Tensor, n: int = 1) -> None:
        """Add a value.

        Args:
            val: Number or one-element tensor.
            n: How many samples it stands for.
        """
        self.val = _number(val)
        self.sum += self.val * n
        self.count += n
        self.avg = 0.9 * self.avg + 0.1 * self.val if self.ema else self.sum / self.count


class MetricMeter:
    """A named set of running averages.

    Args:
        delimiter: Text between metrics when printed.
    """

    def __init__(self, delimiter: str = " ") -> None:
        self.delimiter = delimiter
        self.meters: defaultdict[str, AverageMeter] = defaultdict(AverageMeter)

    def update(self, input_dict: Mapping[str, float | torch.Tensor] | None) -> None:
        """Add one value to each named average.

        Args:
            input_dict: Numbers or one-element tensors by name; None does nothing.

        Raises:
            TypeError: Something else than a dictionary.
        """
        if input_dict is None:
            return
        if not isinstance(input_dict, Mapping):
            raise TypeError(f"metrics must come as a dictionary, not {type(input_dict).__name__}")
        for name, value in input_dict.items():
            self.meters[name].update(value)

    def __str__(self) -> str:
        return self.delimiter.join(
            f"{name} {meter.val:.4f} ({meter.avg:.4f})" for name, meter in self.meters.items()
        )
