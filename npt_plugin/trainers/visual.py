"""Deep prompts of the image tower, as VPT and IVLP learn them."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from npt_plugin.backbone.image_tower import ImageTower
from npt_plugin.backbone.loading import backbone_name
from npt_plugin.trainers.checks import PROMPTS_WITHOUT_VIT, require_vit
from npt_plugin.trainers.context import random_context
from npt_plugin.trainers.deep import check_depth, deep_prompts


class VisualPrompts(nn.Module):
    """Prompts appended after the patches, replaced before each of the first J layers.

    Args:
        tower: The image tower (a ViT).
        n_ctx: Prompts a layer.
        depth: J: 1 is shallow, up to the tower's depth.
        method: Name of the config node, for messages.
        cfg: The run's config.
    """

    def __init__(self, tower: ImageTower, n_ctx: int, depth: int, method: str, cfg: Any) -> None:
        super().__init__()
        needs, backbone = f"{method} puts prompts between the tokens", backbone_name(cfg)
        require_vit(tower.obstacle, needs, backbone, PROMPTS_WITHOUT_VIT)
        check_depth(f"TRAINER.{method}.PROMPT_DEPTH_VISION", depth, 1, tower.depth)
        self.shallow = nn.Parameter(random_context(n_ctx, tower.width))
        self.deep = deep_prompts(depth - 1, n_ctx, tower.width)

    def forward(self, tower: ImageTower, images: Tensor) -> Tensor:
        """Image features (B, D), not normalised."""
        return tower(images, self.shallow, list(self.deep))


def visual_checkpoint_key(name: str) -> str:
    """Where the public checkout keeps a visual prompt: inside the tower."""
    if name.endswith(".shallow"):
        return "image_encoder.VPT"
    layer = int(name.rsplit(".", 1)[1]) + 1
    return f"image_encoder.transformer.resblocks.{layer}.VPT_shallow"
