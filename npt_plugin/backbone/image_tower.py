"""CLIP's two towers, prompt-aware and exact, run from outside ``clip.model``.

Deep prompts are put in between the layers here, which leaves CLIP's own modules untouched and works
with every CLIP that has OpenAI's parameter names. The text tower has a file of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from npt_plugin.backbone.blocks import ClipModule, run_block
from npt_plugin.backbone.frozen_linear import frozen_linear

_IMAGES_AT_ONCE = 8
"""Images passed together where no graph is kept, so that activations stay in the CPU's cache."""


class ImageTower(nn.Module):
    """CLIP's image encoder; a ViT takes visual prompts, a ResNet runs as it is.

    Args:
        visual: ``clip_model.visual``; shared, not copied.
    """

    def __init__(self, visual: ClipModule) -> None:
        super().__init__()
        self.visual = visual

    @property
    def takes_prompts(self) -> bool:
        """Whether visual prompts can be given (ViT only)."""
        return hasattr(self.visual, "transformer")

    @property
    def width(self) -> int:
        """Width W of the ViT's tokens."""
        return self.visual.conv1.out_channels

    @property
    def depth(self) -> int:
        """Number of layers of the ViT."""
        return len(self.visual.transformer.resblocks)

    @property
    def dtype(self) -> torch.dtype:
        """Dtype images must have."""
        return self.visual.conv1.weight.dtype

    def forward(
        self, images: Tensor, shallow: Tensor | None = None, deep: Sequence[Tensor] = ()
    ) -> Tensor:
        """Image features, not normalised.

        Args:
            images: (B, 3, H, W).
            shallow: Prompts (n, W) appended after the patches, before layer 0.
            deep: Prompts (n, W) that replace those before layers 1, 2, ...

        Returns:
            (B, D).
        """
        images = images.to(self.dtype)
        if not self.takes_prompts:
            return self.visual(images)
        if torch.is_grad_enabled() or images.device.type != "cpu":
            return self._encode(images, shallow, deep)
        return torch.cat([self._encode(i, shallow, deep) for i in images.split(_IMAGES_AT_ONCE)])

    def embed(self, images: Tensor, shallow: Tensor | None = None) -> Tensor:
        """Tokens of a ViT before its first layer (after ``ln_pre``), class token first.

        Args:
            images: (B, 3, H, W).
            shallow: Prompts (n, W) appended after the patches.

        Returns:
            (B, 1 + patches + n, W).
        """
        vit = self.visual
        patches = vit.conv1(images.to(self.dtype)).flatten(2).transpose(1, 2)  # (B, patches, W)
        first = vit.class_embedding.to(patches.dtype).expand(len(patches), 1, -1)
        x = torch.cat([first, patches], dim=1)  # (B, 1 + patches, W)
        x = x + vit.positional_embedding.to(x.dtype)
        if shallow is not None:
            x = torch.cat([x, shallow.to(x.dtype).expand(len(x), -1, -1)], dim=1)
        return vit.ln_pre(x)

    def _encode(self, images: Tensor, shallow: Tensor | None, deep: Sequence[Tensor]) -> Tensor:
        """(B, D) of a ViT; in the last layer only the class token is computed."""
        vit = self.visual
        x = self.embed(images, shallow)  # (B, L, W)
        blocks = vit.transformer.resblocks
        for index, block in enumerate(blocks):
            if 0 < index <= len(deep):
                x = _replace_last(x, deep[index - 1])
            x = run_block(block, x, causal=False, keep=1 if index + 1 == len(blocks) else None)
        return frozen_linear(vit.ln_post(x[:, 0]), vit.proj.t())  # (B, D)


def _replace_last(x: Tensor, prompt: Tensor) -> Tensor:
    """Put (n, W) prompts over the last n positions of (B, L, W)."""
    context = prompt.to(x.dtype).expand(len(x), -1, -1)  # (B, n, W)
    return torch.cat([x[:, : x.shape[1] - len(prompt)], context], dim=1)
