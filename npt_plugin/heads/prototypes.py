"""Candle's head: text and visual prototypes of trained and of new names, joined by attention."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from npt_plugin.backbone.outputs import normalize

_HEADS = 8
_DROPOUT = 0.1
_RATIO = 0.1
"""How much of what attention brings is added at the start; it learns."""


class CrossModalAttention(nn.Module):
    """Images, visual prototypes and texts look at each other.

    ``norm(x) + r Attention(norm(x))`` over one sequence of all of them.

    Args:
        dim: D.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        heads = _HEADS if dim % _HEADS == 0 else 1
        self.attn = nn.MultiheadAttention(dim, heads, dropout=_DROPOUT)
        self.ratio = nn.Parameter(torch.tensor([_RATIO]))
        self.norm = nn.LayerNorm(dim)

    def forward(self, sequence: Tensor, blocked: Tensor | None = None) -> Tensor:
        """Enriched features (L, D).

        Args:
            sequence: (L, D).
            blocked: (L, L), True where a row may not look at a column; None: all look at all.
        """
        normed = self.norm(sequence)
        found, _ = self.attn(normed, normed, normed, need_weights=False, attn_mask=blocked)
        return self.ratio * found + normed


class PrototypeHead(nn.Module):
    """Three classifications of one image over all K names.

    By text, from projected features; by text and by visual prototypes, from features enriched by
    attention. Images of new names are absent: their visual prototypes are virtual, and learn.
    Features count by their direction alone: each is brought to the norm ``sqrt(D)``, since the
    LayerNorm behind them is blind to norms but for its epsilon.

    Source: Shi et al., Efficient and Long-Tailed Generalization for Pre-trained Vision-Language
    Model, KDD 2024, arXiv:2406.12638.

    Args:
        text: (K, D), text features of the K names, those trained on first.
        trained: How many are trained on.
        scale: s of CLIP's logits.
        visual_scale: Logits by visual prototypes are this times s.
        spread: Start of virtual prototypes: None, their texts; else the mean of the trained names'
            prototypes with normal noise of this standard deviation.
    """

    text_features: Tensor
    visual_prototypes: Tensor

    def __init__(
        self,
        text: Tensor,
        trained: int,
        scale: float,
        visual_scale: float,
        spread: float | None = None,
    ) -> None:
        super().__init__()
        text = _sized(text.detach().float())
        self.scale, self.visual_scale, self.spread = scale, scale * visual_scale, spread
        self.register_buffer("text_features", text)
        self.register_buffer("visual_prototypes", text[:trained].clone())  # until images are seen
        self.proj_image = nn.Parameter(torch.eye(text.shape[1]))
        self.proj_text = nn.Parameter(torch.eye(text.shape[1]))
        self.fusion = CrossModalAttention(text.shape[1])
        self.virtual_prototypes = nn.Parameter(text[trained:].clone())
        self.virtual_prototypes.requires_grad_(len(self.virtual_prototypes) > 0)

    @torch.no_grad()
    def see(self, prototypes: Tensor) -> None:
        """Take the means of the trained names' images, (trained, D), as their prototypes."""
        self.visual_prototypes.copy_(_sized(prototypes))
        if self.spread is not None:
            mean = self.visual_prototypes.mean(dim=0, keepdim=True)
            noise = torch.randn_like(self.virtual_prototypes) * self.spread
            # the published noise is on features as CLIP gives them, of a norm near 10
            noise = noise * mean.norm() / 10
            self.virtual_prototypes.copy_(mean + noise)

    def forward(
        self, features: Tensor, with_prototypes: bool = False, together: bool = False
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Logits by text, by enriched text, and by enriched prototypes: (N, K) each.

        Args:
            features: (B, D).
            with_prototypes: Whether prototypes are classified behind the images, N = B + K; else
                N = B.
            together: Whether images look at each other, and prototypes and texts at images. If
                not, a prediction does not depend on the other images of its batch.
        """
        n, k = len(features), len(self.text_features)
        images = _sized(features.float()) @ self.proj_image  # (B, D)
        prototypes = torch.cat([self.visual_prototypes, self.virtual_prototypes]) @ self.proj_image
        text = self.text_features @ self.proj_text  # (K, D)
        rows = slice(None, n + k if with_prototypes else n)
        seen = torch.cat([images, prototypes])  # (B + K, D)
        plain = self.scale * normalize(seen[rows]) @ normalize(text).t()
        blocked = None if together else self._alone(n, k, features.device)
        fused = normalize(self.fusion(torch.cat([seen, text]), blocked))  # (B + 2K, D)
        seen, prototypes, text = fused[:-k], fused[n:-k], fused[-k:]
        by_text = self.scale * seen[rows] @ text.t()
        by_prototypes = self.visual_scale * seen[rows] @ prototypes.t()
        return plain, by_text, by_prototypes

    def rows(self) -> Tensor:
        """Projected texts as unit rows (K, D) for image features as CLIP gives them."""
        return normalize(self.text_features @ self.proj_text @ self.proj_image.t())

    @staticmethod
    def _alone(n: int, k: int, device: torch.device) -> Tensor:
        """Nobody looks at an image but the image itself, (B + 2K, B + 2K)."""
        blocked = torch.zeros(n + 2 * k, n + 2 * k, dtype=torch.bool, device=device)
        blocked[:, :n] = True
        blocked.diagonal().fill_(False)
        return blocked


def _sized(features: Tensor) -> Tensor:
    return normalize(features) * features.shape[-1] ** 0.5
