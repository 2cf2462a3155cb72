"""One copy of CLIP for trainers of one process."""

from __future__ import annotations

import torch
from torch import nn

from npt_plugin.trainers.model import PromptedCLIP


class SharedTowers:
    """Frozen weights that several models have in common.

    Each model is built on a CLIP of its own, so that it draws the random numbers it always draws;
    then it takes the weights of an earlier one, if they are the same numbers.
    """

    def __init__(self) -> None:
        self._known: list[PromptedCLIP] = []

    def give(self, model: PromptedCLIP) -> None:
        """Put known weights in the place of a model's own equal ones; else know these too.

        Towers that learn are the model's own, and stay so.
        """
        if any(p.requires_grad for tower in _towers(model) for p in tower.parameters()):
            return
        for known in self._known:
            pairs = list(zip(_towers(model), _towers(known), strict=True))
            if all(_equal(*pair) for pair in pairs):
                for pair in pairs:
                    _adopt(*pair)
                return
        self._known.append(model)


def _towers(model: PromptedCLIP) -> tuple[nn.Module, nn.Module]:
    return model.image_encoder, model.text_encoder


def _adopt(mine: nn.Module, theirs: nn.Module) -> None:
    for name, part in theirs.named_children():
        setattr(mine, name, part)
    for name, parameter in theirs.named_parameters(recurse=False):
        setattr(mine, name, parameter)


def _equal(a: nn.Module, b: nn.Module) -> bool:
    mine, theirs = a.state_dict(), b.state_dict()
    return mine.keys() == theirs.keys() and all(
        tensor.dtype == theirs[name].dtype
        and tensor.device == theirs[name].device
        and torch.equal(tensor, theirs[name])
        for name, tensor in mine.items()
    )
