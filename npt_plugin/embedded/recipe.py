"""Everything that decides the tiny CLIP's weights, apart from the code and rounding."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """How the tiny CLIP is trained.

    Attributes:
        seed: Seed of the world, the weights and the batches.
        pictures: Size of the world.
        steps: Optimiser steps.
        batch: Pictures a step.
        lr: Peak learning rate of AdamW (linear warm-up, cosine decay).
        token_lr: Factor on ``lr`` for the token rows, which keeps their scale near 0.02 so that
            prompts learned with CoOp's learning rate can move.
        scale_lr: Learning rate of the logit scale.
        heads: Weight of the attribute heads.
        keep: Patches kept (of 36) until ``sparse_until``.
        sparse_until: Share of the steps with dropped patches.
        width: Width of both towers; a multiple of 64.
        layers: Blocks of the image tower.
        text_layers: Blocks of the text tower.
        patch: Side of a patch in pixels.
        embed: Dimension of the shared space.
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
        """The factor on all learning rates at a step.

        Args:
            step: Optimiser step, from 0.
        """
        warm = min(1.0, (step + 1) / 100)
        return warm * 0.5 * (1 + math.cos(math.pi * (step / self.steps)))

    def reach(self, step: int) -> float:
        """The share of the world in use at a step; the hard pictures come last.

        Args:
            step: Optimiser step, from 0.
        """
        return min(1.0, 0.25 + 1.5 * (step / self.steps))

    def patches(self, step: int) -> int | None:
        """How many patches a step keeps, None for all.

        Args:
            step: Optimiser step, from 0.
        """
        return self.keep if step / self.steps < self.sparse_until else None
