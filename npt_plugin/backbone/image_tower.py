"""CLIP's image towers: any module as it is, and ViTs with prompts between their layers.

Deep prompts are put in between the layers here, which leaves the family's own modules untouched.
The text tower has a file of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from npt_plugin.backbone.block import Block, FamilyModule, clip_blocks, normed
from npt_plugin.backbone.blocks import run_block
from npt_plugin.backbone.frozen_linear import frozen_linear
from npt_plugin.backbone.halves import halve
from npt_plugin.backbone.launches import bound_by_launches
from npt_plugin.backbone.recorded import replayed

RESNET = "it is a ResNet, which has no tokens"
"""Why prompts have no place there."""

_FEW, _MOST = 8, 32
"""Images that pass a ViT together on a CPU: where layers are bound by memory, and where by the
number of their operations."""

_SMALL = 2**15
"""Tokens of an image x width up to which it is the latter: ``benchmarks/speed/image_pieces.py``."""


class ImageTower(nn.Module):
    """An image encoder that runs as it is.

    Args:
        visual: The family's own module, images (B, 3, H, W) to features (B, D); shared, not copied.
        dim: D.
        obstacle: Why prompts cannot be put between its tokens, as the end of a sentence; empty
            where they can.
    """

    visual: FamilyModule

    def __init__(self, visual: FamilyModule, dim: int, obstacle: str) -> None:
        super().__init__()
        self.visual, self.dim, self.obstacle = visual, dim, obstacle

    @property
    def no_class_token(self) -> str:
        """Why there is no class token to read; empty where there is one."""
        return self.obstacle

    @property
    def takes_no_modules(self) -> str:
        """Why modules put into the layers would not run; empty where they do."""
        return self.obstacle

    @property
    def blocks(self) -> list[Block]:
        """The layers, first to last; only where there is no ``obstacle``."""
        raise NotImplementedError

    @property
    def width(self) -> int:
        """Width W of the tokens."""
        return self.blocks[0].width

    @property
    def depth(self) -> int:
        """Number of layers."""
        return len(self.blocks)

    @property
    def patch(self) -> int:
        """Side of a patch in pixels; 0 where images are not cut into patches."""
        return 0

    @property
    def at_once(self) -> int:
        """Images that pass together on a CPU where no graph is kept, whatever others come with
        them; 0: all that are given."""
        return 0

    @property
    def dtype(self) -> torch.dtype:
        """Dtype images must have: that of the first convolution."""
        layers = (m for m in self.visual.modules() if isinstance(m, nn.Conv2d))
        return next(layers).weight.dtype

    def cast(self, dtype: torch.dtype) -> None:
        """Convolutions and linear maps to halves, in place; norms stay as they are."""
        halve(self.visual, dtype)

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
        return self.visual(images.to(self.dtype))

    def embed(self, images: Tensor, shallow: Tensor | None = None) -> Tensor:
        """Tokens before the first layer, class token first; only where there is no ``obstacle``.

        Args:
            images: (B, 3, H, W).
            shallow: Prompts (n, W) appended after the patches.

        Returns:
            (B, 1 + patches + n, W).
        """
        raise NotImplementedError

    @property
    def last_norm(self) -> nn.Module:
        """The LayerNorm between the last layer and the projection."""
        raise NotImplementedError

    def norm(self, tokens: Tensor) -> Tensor:
        """Tokens (..., W) through ``last_norm``."""
        return normed(self.last_norm, tokens)

    @property
    def projection(self) -> nn.Parameter | None:
        """Matrix (W, D) from a normed class token to the feature; None: D is W."""
        raise NotImplementedError


class ViT(ImageTower):
    """A ViT with OpenAI's names, which open_clip has too; its feature is the class token's."""

    def __init__(self, visual: FamilyModule) -> None:
        super().__init__(visual, visual.output_dim, "")

    @property
    def blocks(self) -> list[Block]:
        """The layers, first to last."""
        return clip_blocks(self.visual.transformer.resblocks)

    @property
    def patch(self) -> int:
        """Side of a patch in pixels."""
        return self.visual.conv1.kernel_size[0]

    @property
    def at_once(self) -> int:
        """Few, so that their activations stay in the cache; more where each has little work."""
        tokens = len(self.visual.positional_embedding)
        return _MOST if self.width * tokens <= _SMALL else _FEW

    def forward(
        self, images: Tensor, shallow: Tensor | None = None, deep: Sequence[Tensor] = ()
    ) -> Tensor:
        """Image features (B, D), as in the base; without a graph a few at a time on a CPU."""
        images = images.to(self.dtype)
        tokens = images.shape[0] * images.shape[2] * images.shape[3] // self.patch**2
        if bound_by_launches(images.device, tokens) and (shallow is not None or not deep):
            prompts = () if shallow is None else (shallow, *deep)
            return replayed(self, self._with_prompts, images, *prompts)
        if torch.is_grad_enabled() or images.device.type != "cpu":
            return self._encode(images, shallow, deep)
        return torch.cat([self._encode(i, shallow, deep) for i in self._pieces(images)])

    def _pieces(self, images: Tensor) -> list[Tensor]:
        """``at_once`` each; of the last, what is more than a multiple of ``_FEW`` comes alone.

        BLAS may round the rows of its smallest products otherwise: so a row's bits do not depend
        on ``at_once``.
        """
        pieces = []
        for block in images.split(self.at_once):
            even = len(block) // _FEW * _FEW
            pieces += [piece for piece in (block[:even], block[even:]) if len(piece)]
        return pieces or [images]

    def embed(self, images: Tensor, shallow: Tensor | None = None) -> Tensor:
        """Tokens (B, 1 + patches + n, W) after ``ln_pre``, as in the base."""
        vit = self.visual
        patches = vit.conv1(images.to(self.dtype)).flatten(2).transpose(1, 2)  # (B, patches, W)
        first = vit.class_embedding.to(patches.dtype).expand(len(patches), 1, -1)
        x = torch.cat([first, patches], dim=1)  # (B, 1 + patches, W)
        x = x + vit.positional_embedding.to(x.dtype)
        if shallow is not None:
            x = torch.cat([x, shallow.to(x.dtype).expand(len(x), -1, -1)], dim=1)
        return normed(vit.ln_pre, x)

    @property
    def last_norm(self) -> nn.Module:
        """``ln_post``."""
        return self.visual.ln_post

    @property
    def projection(self) -> nn.Parameter | None:
        """(W, D)."""
        return self.visual.proj

    def _with_prompts(self, images: Tensor, *prompts: Tensor) -> Tensor:
        """(B, D); the first of the prompts goes before layer 0."""
        return self._encode(images, prompts[0] if prompts else None, prompts[1:])

    def _encode(self, images: Tensor, shallow: Tensor | None, deep: Sequence[Tensor]) -> Tensor:
        """(B, D); in the last layer only the class token is computed."""
        x = self.embed(images, shallow)  # (B, L, W)
        blocks = self.blocks
        for index, block in enumerate(blocks):
            if 0 < index <= len(deep):
                x = replace_last(x, deep[index - 1])
            x = run_block(block, x, causal=False, keep=1 if index + 1 == len(blocks) else None)
        feature, projection = self.norm(x[:, 0]), self.projection  # (B, W)
        return feature if projection is None else frozen_linear(feature, projection.t())


def replace_last(x: Tensor, prompt: Tensor) -> Tensor:
    """Put (n, W) prompts over the last n positions of (B, L, W)."""
    context = prompt.to(x.dtype).expand(len(x), -1, -1)  # (B, n, W)
    return torch.cat([x[:, : x.shape[1] - len(prompt)], context], dim=1)
