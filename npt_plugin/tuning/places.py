"""What tuning has to know of a tower: its weights, its blocks, what comes behind them."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from npt_plugin.backbone.block import Block
from npt_plugin.backbone.image_tower import ImageTower
from npt_plugin.backbone.text_tower import TextTower


@dataclass(frozen=True)
class Places:
    """Where a tower can be tuned.

    Attributes:
        tower: ``image`` or ``text``.
        roots: The modules that hold all its weights.
        blocks: Its residual attention blocks, first to last; none where it is not a transformer.
        norm: The LayerNorm behind the last block; None where there is none.
        projection: What maps to the joint space; None where there is none.
    """

    tower: str
    roots: tuple[nn.Module, ...]
    blocks: tuple[Block, ...] = ()
    norm: nn.Module | None = None
    projection: nn.Parameter | None = None

    def weights(self) -> list[nn.Parameter]:
        """All of them."""
        return [p for root in self.roots for p in root.parameters()]

    def norms(self) -> list[nn.LayerNorm]:
        """Every LayerNorm, in the blocks and outside."""
        return [m for root in self.roots for m in root.modules() if isinstance(m, nn.LayerNorm)]

    def depths(self) -> dict[nn.Parameter, int]:
        """How deep each weight lies: 0 before the blocks, 1 in the first, L + 1 behind the last."""
        found = {p: 0 for p in self.weights()}
        for number, block in enumerate(self.blocks, start=1):
            found |= {p: number for p in block.module.parameters()}
        behind = [] if self.norm is None else list(self.norm.parameters())
        behind += [] if self.projection is None else [self.projection]
        return found | {p: len(self.blocks) + 1 for p in behind}


def image_places(tower: ImageTower) -> Places:
    """Of an image tower; a ResNet has no blocks."""
    (visual,) = tower.children()
    if tower.obstacle:
        return Places("image", (visual,))
    return Places("image", (visual,), tuple(tower.blocks), tower.last_norm, tower.projection)


def text_places(tower: TextTower, token_embedding: nn.Module) -> Places:
    """Of a text tower and the table of its tokens."""
    roots = (tower, token_embedding)
    return Places("text", roots, tuple(tower.blocks), tower.last_norm, tower.projection)
