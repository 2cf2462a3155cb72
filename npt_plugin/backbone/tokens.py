"""A ViT's tokens after its last layer, before its norm, for heads that see more than a feature.

``ImageTower`` itself computes one position of its last layer, the class token, which is all that
CLIP's feature needs. A decoder wants every position, GNM_PT those of its prompts.
"""

from __future__ import annotations

import torch
from torch import Tensor

from npt_plugin.backbone.blocks import run_block
from npt_plugin.backbone.image_tower import ImageTower


@torch.no_grad()
def all_tokens(tower: ImageTower, images: Tensor) -> Tensor:
    """Every token of the last layer, computed without a graph.

    Args:
        tower: A ViT.
        images: (B, 3, H, W).

    Returns:
        (B, 1 + patches, W), class token first, not layer-normed.
    """
    return _through_layers(tower, images, keep=None)


def class_token(tower: ImageTower, images: Tensor) -> Tensor:
    """The class token of the last layer.

    Args:
        tower: A ViT.
        images: (B, 3, H, W).

    Returns:
        (B, W), not layer-normed.
    """
    return _through_layers(tower, images, keep=1)[:, 0]  # (B, 1, W) -> (B, W)


def prompted_tokens(tower: ImageTower, images: Tensor, prompts: Tensor) -> Tensor:
    """The class token and the prompt outputs of the last layer, under VPT-Deep.

    Every layer gets prompts of its own, and what a layer makes of them is dropped, except in the
    last. They stand behind the class token here and behind the patches in the published code:
    attention does not know the order, as positions were added before. Patches of the last layer
    are not computed; nobody looks at them.

    Source: Jia et al. 2022, arXiv:2203.12119, eq. (4) and (5).

    Args:
        tower: A ViT of J layers.
        images: (B, 3, H, W).
        prompts: (J, n, W).

    Returns:
        (B, 1 + n, W), class token first, not layer-normed.
    """
    x = tower.embed(images)  # (B, 1 + patches, W)
    blocks, n = tower.blocks, prompts.shape[1]
    for index, block in enumerate(blocks):
        own = prompts[index].to(x.dtype).expand(len(x), -1, -1)  # (B, n, W)
        patches = x[:, 1 + n :] if index else x[:, 1:]  # (B, patches, W), without old prompts
        x = torch.cat([x[:, :1], own, patches], dim=1)  # (B, 1 + n + patches, W)
        x = run_block(block, x, causal=False, keep=1 + n if index + 1 == len(blocks) else None)
    return x  # (B, 1 + n, W)


def _through_layers(tower: ImageTower, images: Tensor, keep: int | None) -> Tensor:
    """(B, L, W) after the last layer, or (B, keep, W)."""
    x = tower.embed(images)  # (B, L, W)
    blocks = tower.blocks
    for index, block in enumerate(blocks):
        x = run_block(block, x, causal=False, keep=keep if index + 1 == len(blocks) else None)
    return x
