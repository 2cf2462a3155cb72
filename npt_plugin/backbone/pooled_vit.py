"""ViTs whose feature is more than a projected class token: pooled by attention or by a mean.

Prompts stand behind the patches, as in a plain ViT, and every patch sees them. Where a tower ends,
they are taken out before its own pooling, which sees the tokens it was trained on.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from npt_plugin.backbone.block import Block, FamilyModule, block_obstacle, timm_blocks
from npt_plugin.backbone.blocks import run_block
from npt_plugin.backbone.image_tower import ImageTower, ViT, replace_last

_NO_CLASS_TOKEN = "its feature is not a projected class token"


class PooledViT(ViT):
    """open_clip's ViT with attention pooling (CoCa) or a mean of the patches (CLIPA)."""

    @property
    def no_class_token(self) -> str:
        """Why there is no class token to read."""
        return _NO_CLASS_TOKEN

    def cast(self, dtype: torch.dtype) -> None:
        """All of it to halves, as its pooling runs by itself."""
        self.visual.to(dtype)

    def _encode(self, images: Tensor, shallow: Tensor | None, deep: Sequence[Tensor]) -> Tensor:
        x = _through(self, images, shallow, deep)  # (B, 1 + patches, W)
        feature, _ = self.visual._pool(x)
        return feature if self.projection is None else feature @ self.projection


class TimmViT(ImageTower):
    """timm's ``VisionTransformer`` inside open_clip's ``TimmModel`` (SigLIP, MobileCLIP-B)."""

    def __init__(self, visual: FamilyModule, dim: int) -> None:
        super().__init__(visual, dim, block_obstacle(visual.trunk.blocks))

    @property
    def no_class_token(self) -> str:
        """Why there is no class token to read."""
        return _NO_CLASS_TOKEN

    @property
    def takes_no_modules(self) -> str:
        """Without prompts ``forward`` is the module's own, which knows nothing of them."""
        return self.obstacle or "timm's own code runs its layers"

    @property
    def blocks(self) -> list[Block]:
        """The layers, first to last."""
        return timm_blocks(self.visual.trunk.blocks)

    @property
    def patch(self) -> int:
        """Side of a patch in pixels."""
        return self.visual.trunk.patch_embed.patch_size[0]

    @property
    def last_norm(self) -> nn.Module:
        """Behind the last layer, before the pooling."""
        return self.visual.trunk.norm

    @property
    def projection(self) -> None:
        """None: a pooling stands between the tokens and the feature."""
        return None

    def cast(self, dtype: torch.dtype) -> None:
        """All of it to halves, as open_clip does it for models of timm."""
        self.visual.to(dtype)

    def forward(
        self, images: Tensor, shallow: Tensor | None = None, deep: Sequence[Tensor] = ()
    ) -> Tensor:
        """Image features (B, D), as in the base; without prompts by the module itself."""
        if shallow is None:
            return super().forward(images)
        trunk = self.visual.trunk
        x = _through(self, images, shallow, deep)  # (B, patches, W)
        return self.visual.head(trunk.forward_head(trunk.norm(x)))

    def embed(self, images: Tensor, shallow: Tensor | None = None) -> Tensor:
        """Tokens (B, patches + n, W) before the first layer."""
        trunk = self.visual.trunk
        x = trunk._pos_embed(trunk.patch_embed(images.to(self.dtype)))
        if shallow is not None:
            x = torch.cat([x, shallow.to(x.dtype).expand(len(x), -1, -1)], dim=1)
        return trunk.norm_pre(x)


def _through(
    tower: ImageTower, images: Tensor, shallow: Tensor | None, deep: Sequence[Tensor]
) -> Tensor:
    """Tokens after the last layer, without the prompts."""
    x = tower.embed(images, shallow)  # (B, L, W)
    for index, block in enumerate(tower.blocks):
        if 0 < index <= len(deep):
            x = replace_last(x, deep[index - 1])
        x = run_block(block, x, causal=False)
    return x if shallow is None else x[:, : -len(shallow)]
