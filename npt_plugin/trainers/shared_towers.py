"""One copy of CLIP for trainers of one process."""

from __future__ import annotations

import torch
from torch import nn

from npt_plugin.trainers.model import PromptedCLIP


class SharedTowers:
    """Frozen towers that several models have in common.

    Each model is built on a CLIP of its own, so that it draws the random numbers it always draws;
    then it takes the towers of an earlier one, if they hold the same numbers.
    """

    def __init__(self) -> None:
        self._known: list[tuple[nn.Module, nn.Module]] = []

    def give(self, model: PromptedCLIP) -> None:
        """Put known towers in the place of a model's own equal ones; else know these too."""
        own = model.image_encoder, model.text_encoder
        for towers in self._known:
            if all(_equal(*pair) for pair in zip(own, towers, strict=True)):
                model.image_encoder, model.text_encoder = towers
                return
        self._known.append(own)


def _equal(a: nn.Module, b: nn.Module) -> bool:
    mine, theirs = a.state_dict(), b.state_dict()
    return mine.keys() == theirs.keys() and all(
        tensor.dtype == theirs[name].dtype
        and tensor.device == theirs[name].device
        and torch.equal(tensor, theirs[name])
        for name, tensor in mine.items()
    )
