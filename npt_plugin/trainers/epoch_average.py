"""The weighted mean of what a run has learned over its epochs, kept while it trains."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from npt_plugin.errors import UserError
from npt_plugin.system.options import one_of

AVERAGES = ("gaussian",)
"""Values of ``TRAIN.AVERAGE`` beside "", no average."""


def gaussian_weights(epochs: int, mean: float, sd: float) -> list[float]:
    """Weights of epochs 1 to ``epochs``: a normal density at each, divided by their sum.

    Source: PromptSRC (Khattak et al. 2023, arXiv:2307.06948, section 3.2.2), which has mean 15 and
    standard deviation 1 over 20 epochs.

    Args:
        epochs: How many there are.
        mean: Epoch of the largest weight.
        sd: Standard deviation in epochs, above 0.

    Example:
        >>> [round(w, 3) for w in gaussian_weights(3, 2, 1)]
        [0.274, 0.452, 0.274]
    """
    exponents = [-((epoch - mean) ** 2) / (2 * sd**2) for epoch in range(1, epochs + 1)]
    largest = max(exponents)  # a density far from the mean would be 0 everywhere
    densities = [math.exp(exponent - largest) for exponent in exponents]
    total = math.fsum(densities)
    return [density / total for density in densities]


class EpochAverage:
    """Sum over epochs of weight times learned tensors; at the last epoch it takes their place.

    Args:
        weights: Of each epoch, summing to 1.

    Attributes:
        last: What the last epoch had learned, by parameter; empty before it has ended.
    """

    def __init__(self, weights: Sequence[float]) -> None:
        self.weights = list(weights)
        self.total: dict[str, Tensor] = {}
        self.last: dict[str, Tensor] = {}

    @torch.no_grad()
    def epoch_done(self, epoch: int, learned: Mapping[str, Tensor]) -> None:
        """Take in an epoch's end; after the last one ``learned`` holds the mean.

        Args:
            epoch: From 0.
            learned: The run's learned parameters, by name.
        """
        for name, parameter in learned.items():
            if name not in self.total:
                exact = torch.promote_types(parameter.dtype, torch.float32)
                self.total[name] = torch.zeros_like(parameter, dtype=exact)
            self.total[name] += self.weights[epoch] * parameter.to(self.total[name].dtype)
        if epoch + 1 < len(self.weights):
            return
        self.last = {name: parameter.detach().clone() for name, parameter in learned.items()}
        for name, parameter in learned.items():
            parameter.copy_(self.total[name])

    def state_dict(self) -> dict[str, dict[str, Tensor]]:
        """What an interrupted run needs to go on, on the CPU."""
        kept = {"total": self.total, "last": self.last}
        return {part: {n: t.cpu() for n, t in tensors.items()} for part, tensors in kept.items()}

    def load_state_dict(
        self, state: Mapping[str, Mapping[str, Tensor]], device: torch.device
    ) -> None:
        """Go on from what ``state_dict`` gave."""
        self.total = {name: tensor.to(device) for name, tensor in state["total"].items()}
        self.last = {name: tensor.to(device) for name, tensor in state["last"].items()}


def average_of(cfg: Any) -> EpochAverage | None:
    """The average that ``TRAIN.AVERAGE`` asks for; None: what the last epoch has learned counts.

    Raises:
        UserError: If the name is unknown, the mean is no epoch of the run, the spread is not above
            0, or the run is to test another epoch than the last.
    """
    node = cfg.TRAIN
    if not node.AVERAGE:
        return None
    one_of("TRAIN.AVERAGE", node.AVERAGE, AVERAGES)
    epochs = cfg.OPTIM.MAX_EPOCH
    if not 1 <= node.AVERAGE_MEAN <= epochs:
        raise UserError(
            f"TRAIN.AVERAGE_MEAN is {node.AVERAGE_MEAN:g}; it is the epoch of the largest weight: "
            f"take one from 1 to OPTIM.MAX_EPOCH, {epochs}."
        )
    if node.AVERAGE_SD <= 0:
        raise UserError(f"TRAIN.AVERAGE_SD is {node.AVERAGE_SD:g}; it must be above 0 (epochs).")
    said = f"TRAIN.AVERAGE is {node.AVERAGE}, an average over all epochs"
    refuse_selection(cfg, said, ", or TRAIN.AVERAGE to ''")
    return EpochAverage(gaussian_weights(epochs, node.AVERAGE_MEAN, node.AVERAGE_SD))


def refuse_selection(cfg: Any, average: str, instead: str = "") -> None:
    """Refuse to test one epoch of a run whose average is to be tested.

    Args:
        cfg: The run's config.
        average: What averages, as the beginning of a sentence.
        instead: What else could be done, as its end.

    Raises:
        UserError: If ``TEST.FINAL_MODEL`` is not the last step.
    """
    if cfg.TEST.FINAL_MODEL != "last_step":
        raise UserError(
            f"{average}, but TEST.FINAL_MODEL is {cfg.TEST.FINAL_MODEL}: set that to "
            f"last_step{instead}."
        )
