"""The plain path: CLIP's own modules, 77 positions, prompts encoded anew for every batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from npt_plugin.backbone.outputs import PromptOutputs

POSITIONS = 77


class PlainText(nn.Module):
    """Called as our text tower; runs CLIP's layers on all 77 positions.

    Args:
        clip_model: A ``clip.model.CLIP``.
    """

    def __init__(self, clip_model: nn.Module) -> None:
        """Share the model's modules."""
        super().__init__()
        self.clip = clip_model

    def forward(
        self, prompts: Tensor, eot: Tensor, deep: Sequence[Tensor] = (), layout: Any = None
    ) -> Tensor:
        """Features (K, D), or (G, K, D) one group after the other."""
        if prompts.ndim == 4:
            return torch.stack([self(group, eot, deep) for group in prompts])
        clip, missing = self.clip, POSITIONS - prompts.shape[1]
        rest = clip.token_embedding.weight[0].expand(len(prompts), missing, -1)
        x = torch.cat([prompts, rest], dim=1) + clip.positional_embedding  # (K, 77, W)
        x = x.permute(1, 0, 2).to(clip.text_projection.dtype)  # (77, K, W)
        for index, block in enumerate(clip.transformer.resblocks):
            if 0 < index <= len(deep):
                prompt = deep[index - 1].unsqueeze(1).expand(-1, x.shape[1], -1).to(x.dtype)
                x = torch.cat([x[:1], prompt, x[1 + len(prompt) :]])
            x = block(x)
        x = clip.ln_final(x.permute(1, 0, 2))  # (K, 77, W)
        return x[torch.arange(len(x)), eot] @ clip.text_projection


class PlainImages(nn.Module):
    """Called as our image tower; runs CLIP's layers on all positions.

    Args:
        visual: CLIP's ViT.
    """

    def __init__(self, visual: nn.Module) -> None:
        """Share the ViT."""
        super().__init__()
        self.visual = visual

    def forward(
        self, images: Tensor, shallow: Tensor | None = None, deep: Sequence[Tensor] = ()
    ) -> Tensor:
        """Features (B, D)."""
        vit, n = self.visual, len(images)
        images = images.to(vit.proj.dtype)
        if shallow is None:
            return vit(images)
        x = vit.conv1(images).flatten(2).transpose(1, 2)
        x = torch.cat([vit.class_embedding.expand(n, 1, -1), x], dim=1) + vit.positional_embedding
        x = torch.cat([x, shallow.expand(n, -1, -1)], dim=1).to(images.dtype)
        x = vit.ln_pre(x).permute(1, 0, 2)
        for index, block in enumerate(vit.transformer.resblocks):
            if 0 < index <= len(deep):
                prompt = deep[index - 1].unsqueeze(1).expand(-1, n, -1).to(x.dtype)
                x = torch.cat([x[: -len(prompt)], prompt])
            x = block(x)
        return vit.ln_post(x.permute(1, 0, 2)[:, 0]) @ vit.proj


def make_plain(model: Any, clip_model: nn.Module) -> None:
    """Put the plain towers into one of our models; prompts are then encoded for every batch."""
    model.text_encoder, model.image_encoder = PlainText(clip_model), PlainImages(clip_model.visual)
    if model.text_depends_on_image:

        def encode(images: Tensor, text: Tensor | None = None) -> PromptOutputs:
            image = model.image_features(images)
            features = torch.cat([model._text_for(one[None]) for one in image])  # (B, K, D)
            logits = model.logit_scale.exp() * torch.einsum("bd,bkd->bk", image, features)
            return PromptOutputs(logits, image, features)

        model.encode = encode
