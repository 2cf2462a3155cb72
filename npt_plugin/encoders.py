"""CLIP's two towers, prompt-aware and exact, run from outside ``clip.model``.

The text tower is causal: a token after the last end-of-text position cannot change any feature, so
sequences are cut there. Deep prompts are put in between the layers here, which leaves CLIP's own
modules untouched and works with every CLIP that has OpenAI's parameter names.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


def normalize(features: Tensor) -> Tensor:
    """Features (..., D) divided by their L2 norm, as CLIP does it (no epsilon)."""
    return features / features.norm(dim=-1, keepdim=True)


def run_block(block: nn.Module, x: Tensor, causal: bool) -> Tensor:
    """One residual attention block of CLIP on a batch-first sequence.

    Args:
        block: CLIP's ``ResidualAttentionBlock`` (``attn``, ``ln_1``, ``mlp``, ``ln_2``).
        x: (N, L, W).
        causal: Whether a position sees only itself and those before it (text tower).

    Returns:
        (N, L, W).
    """
    x = x + _attention(block.attn, block.ln_1(x), causal)
    return x + block.mlp(block.ln_2(x))


def _attention(attn: nn.MultiheadAttention, x: Tensor, causal: bool) -> Tensor:
    n, length, width = x.shape
    qkv = F.linear(x, attn.in_proj_weight, attn.in_proj_bias)  # (N, L, 3W)
    heads = qkv.view(n, length, 3, attn.num_heads, width // attn.num_heads)
    q, k, v = heads.permute(2, 0, 3, 1, 4)  # each (N, heads, L, W / heads)
    mixed = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
    return attn.out_proj(mixed.transpose(1, 2).reshape(n, length, width))


class TextTower(nn.Module):
    """CLIP's text encoder on prompt embeddings instead of tokens.

    Args:
        clip_model: A ``clip.model.CLIP``; its modules are shared, not copied.
        chunk: Prompts encoded at a time, each chunk recomputed in backward (activation
            checkpointing), so that memory does not grow with K. 0: all at once.
    """

    def __init__(self, clip_model: nn.Module, chunk: int = 0) -> None:
        super().__init__()
        self.transformer = clip_model.transformer
        self.positional_embedding = clip_model.positional_embedding
        self.ln_final = clip_model.ln_final
        self.text_projection = clip_model.text_projection
        self.chunk = chunk

    @property
    def dtype(self) -> torch.dtype:
        """Dtype the blocks compute in."""
        return self.text_projection.dtype

    def forward(self, prompts: Tensor, eot: Tensor, deep: Sequence[Tensor] = ()) -> Tensor:
        """Text features, not normalised.

        Args:
            prompts: (N, L, W) embeddings, already cut after the last end-of-text token.
            eot: (N,) position of each prompt's end-of-text token, < L.
            deep: Prompts (n, W) that replace positions 1..n before layers 1, 2, ...

        Returns:
            (N, D).
        """
        if not 0 < self.chunk < len(prompts):
            return self._encode(prompts, eot, *deep)
        parts = []
        for some, end in zip(prompts.split(self.chunk), eot.split(self.chunk), strict=True):
            if torch.is_grad_enabled():
                parts.append(checkpoint(self._encode, some, end, *deep, use_reentrant=False))
            else:
                parts.append(self._encode(some, end, *deep))
        return torch.cat(parts)  # (N, D)

    def _encode(self, prompts: Tensor, eot: Tensor, *deep: Tensor) -> Tensor:
        length = prompts.shape[1]
        x = prompts.to(self.dtype) + self.positional_embedding[:length].to(self.dtype)  # (N, L, W)
        for index, block in enumerate(self.transformer.resblocks):
            if 0 < index <= len(deep):
                x = _replace_context(x, deep[index - 1])
            x = run_block(block, x, causal=True)
        last = x[torch.arange(len(x), device=x.device), eot]  # (N, W)
        return self.ln_final(last).to(self.dtype) @ self.text_projection  # (N, D)


def _replace_context(x: Tensor, prompt: Tensor) -> Tensor:
    """Put (n, W) prompts over positions 1..n of (N, L, W), after the start token."""
    context = prompt.to(x.dtype).expand(len(x), -1, -1)  # (N, n, W)
    return torch.cat([x[:, :1], context, x[:, 1 + len(prompt) :]], dim=1)


class ImageTower(nn.Module):
    """CLIP's image encoder; a ViT takes visual prompts, a ResNet runs as it is.

    Args:
        visual: ``clip_model.visual``; shared, not copied.
    """

    def __init__(self, visual: nn.Module) -> None:
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
        tokens = self.tokens(images, shallow, deep)
        feature = self.visual.ln_post(tokens[:, 0])  # (B, W)
        return feature @ self.visual.proj  # (B, D)

    def tokens(
        self, images: Tensor, shallow: Tensor | None = None, deep: Sequence[Tensor] = ()
    ) -> Tensor:
        """All tokens after the last layer, before ``ln_post``: (B, 1 + patches + n, W)."""
        vit = self.visual
        patches = vit.conv1(images).flatten(2).transpose(1, 2)  # (B, patches, W)
        first = vit.class_embedding.to(patches.dtype).expand(len(patches), 1, -1)
        x = torch.cat([first, patches], dim=1)  # (B, 1 + patches, W)
        x = x + vit.positional_embedding.to(x.dtype)
        if shallow is not None:
            x = torch.cat([x, shallow.to(x.dtype).expand(len(x), -1, -1)], dim=1)
        x = vit.ln_pre(x)
        for index, block in enumerate(vit.transformer.resblocks):
            if 0 < index <= len(deep):
                x = _replace_last(x, deep[index - 1])
            x = run_block(block, x, causal=False)
        return x


def _replace_last(x: Tensor, prompt: Tensor) -> Tensor:
    """Put (n, W) prompts over the last n positions of (B, L, W)."""
    context = prompt.to(x.dtype).expand(len(x), -1, -1)  # (B, n, W)
    return torch.cat([x[:, : x.shape[1] - len(prompt)], context], dim=1)
