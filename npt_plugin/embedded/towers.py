"""The two CLIP towers written for speed on a CPU: ``clip.model``'s parameters and numbers.

The blocks are the trainers' own; patches go through one matrix product, from a random subset if
wanted. ``tests/embedded`` checks both towers against ``clip.model``.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from clip.model import CLIP, VisionTransformer
from torch import Tensor

from npt_plugin.backbone.block import clip_blocks
from npt_plugin.backbone.blocks import run_block


def image_tower(
    visual: VisionTransformer, images: Tensor, keep: int | None = None
) -> tuple[Tensor, Tensor]:
    """Encode images, optionally from a random subset of their patches.

    Args:
        visual: The image tower of a CLIP.
        images: (B, 3, R, R) normalised images.
        keep: Number of patches to keep (FLIP: Li et al. 2023, "Scaling Language-Image
            Pre-training via Masking"); the same random choice for the whole batch. None keeps
            all.

    Returns:
        Features (B, D), not normalised, and the tower's output before its projection (B, W).
    """
    weight = visual.conv1.weight
    patch, (batch, _, side, _) = weight.shape[-1], images.shape
    grid = side // patch
    x = (
        images.reshape(batch, 3, grid, patch, grid, patch)
        .permute(0, 2, 4, 1, 3, 5)
        .reshape(batch, grid * grid, -1)
    )
    where = visual.positional_embedding[1:]
    if keep is not None:
        chosen = torch.randperm(grid * grid)[:keep]
        x, where = x[:, chosen], where[chosen]
    x = F.linear(x, weight.flatten(1)) + where  # (B, patches, W)
    first = visual.class_embedding + visual.positional_embedding[0]
    x = visual.ln_pre(torch.cat([first.expand(batch, 1, -1), x], dim=1))  # (B, 1 + patches, W)
    blocks = clip_blocks(visual.transformer.resblocks)
    for index, block in enumerate(blocks):  # of the last only the class token is used
        x = run_block(block, x, causal=False, keep=1 if index + 1 == len(blocks) else None)
    x = visual.ln_post(x[:, 0])  # (B, W)
    return x @ visual.proj, x


def text_tower(model: CLIP, embedded: Tensor, ends: Tensor) -> Tensor:
    """Encode prompts that are already embedded.

    Args:
        model: A CLIP (its token table is not used here).
        embedded: (N, L, W) token embeddings without positions; L may be shorter than the context
            length.
        ends: (N,) position of the end-of-text token of each prompt.

    Returns:
        Features (N, D), not normalised.
    """
    x = embedded + model.positional_embedding[: embedded.shape[1]]
    for block in clip_blocks(model.transformer.resblocks):
        x = run_block(block, x, causal=True)
    x = model.ln_final(x[torch.arange(len(x)), ends])  # (N, W)
    return x @ model.text_projection
