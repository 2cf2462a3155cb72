"""Everything that decides the tiny CLIP's weights, apart from the code and rounding."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """How the tiny CLIP is trained.

    Attributes:
        seed: seed of the world, the weights and the batches.
        pictures: size of the world.
        steps: optimiser steps.
        batch: pictures a step.
        lr: peak learning rate of AdamW (linear warm-up, cosine decay).
        token_lr: factor on ``lr`` for the token rows, which keeps their scale near 0.02 so that
            prompts learned with CoOp's learning rate can move.
        scale_lr: learning rate of the logit scale.
        heads: weight of the attribute heads.
        keep: patches kept (of 36) until ``sparse_until``.
        sparse_until: share of the steps with dropped patches.
        width: width of both towers; a multiple of 64.
        layers: blocks of the image tower.
        text_layers: blocks of the text tower.
        patch: side of a patch in pixels.
        embed: dimension of the shared space.
    """

    seed: int = 0
    pictures: int = 60_000
    steps: int = 2000
    batch: int = 128
    lr: float = 1.5e-3
    token_lr: float = 0.15
    scale_lr: float = 1e-2
    heads: float = 0.5
    keep: int = 27
    sparse_until: float = 0.6
    width: int = 128
    layers: int = 4
    text_layers: int = 3
    patch: int = 8
    embed: int = 128

    def rate(self, step: int) -> float:
        """Return the factor on all learning rates at a step.

        Args:
            step: optimiser step, from 0.
        """
        warm = min(1.0, (step + 1) / 100)
        return warm * 0.5 * (1 + math.cos(math.pi * (step / self.steps)))

    def reach(self, step: int) -> float:
        """Return the share of the world in use at a step; the hard pictures come last.

        Args:
            step: optimiser step, from 0.
        """
        return min(1.0, 0.25 + 1.5 * (step / self.steps))

    def patches(self, step: int) -> int | None:
        """Return how many patches a step keeps, None for all.

        Args:
            step: optimiser step, from 0.
        """
        return self.keep if step / self.steps < self.sparse_until else None
