"""The model that is trained: a CLIP with a compact token table, and its loss."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from clip.model import CLIP
from torch import Tensor, nn

from npt_plugin.backbone.tiny import fresh_token_table
from npt_plugin.embedded.batches import Batch
from npt_plugin.embedded.recipe import Recipe
from npt_plugin.embedded.towers import image_tower, text_tower
from npt_plugin.embedded.weights import known_token_ids
from npt_plugin.embedded.world import ATTRIBUTES, SIZE

CONTEXT = 77
_IMAGES_AT_ONCE = 64  # what fits the processor's cache


class TinyClip(nn.Module):
    """A CLIP of OpenAI's architecture with a compact token table, and heads for training only.

    Args:
        recipe: Sizes and seed.
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        torch.manual_seed(recipe.seed)
        width, heads = recipe.width, max(1, recipe.width // 64)
        vision = (SIZE, recipe.layers, width, recipe.patch)
        self.clip = CLIP(recipe.embed, *vision, CONTEXT, 1, width, heads, recipe.text_layers)
        ids = known_token_ids()
        self.rows = nn.Parameter(torch.from_numpy(fresh_token_table(width)[ids]))  # (V, W)
        self.heads = nn.ModuleDict({name: nn.Linear(width, n) for name, n in ATTRIBUTES.items()})
        with torch.no_grad():
            waves = _plane_waves(SIZE // recipe.patch, width)
            self.clip.visual.positional_embedding[1:] += 0.1 * waves

    def loss(self, batch: Batch, keep: int | None, head_weight: float) -> tuple[Tensor, Tensor]:
        """The training loss and, for the log, its contrastive part.

        Args:
            batch: Pictures and captions.
            keep: Patches to keep, None for all.
            head_weight: Weight of the attribute heads.

        Returns:
            Two scalars.
        """
        parts = batch.images.split(_IMAGES_AT_ONCE)
        encoded = [image_tower(self.clip.visual, part, keep) for part in parts]
        features, before = (torch.cat(tensors) for tensors in zip(*encoded, strict=True))
        texts = self._texts(batch)  # (N, D)
        scale = self.clip.logit_scale.exp()
        logits = scale * F.normalize(features, dim=-1) @ F.normalize(texts, dim=-1).T  # (B, N)
        to_text = F.cross_entropy(logits, batch.caption_of)
        contrast = 0.5 * (to_text + text_to_image(logits, batch.caption_of))
        return contrast + head_weight * self._head_loss(before, batch.facts), contrast.detach()

    def _texts(self, batch: Batch) -> Tensor:
        """Encode captions in four groups of similar length, each cut after its last end token.

        The cut is exact because attention is causal.
        """
        groups = zip(batch.tokens.tensor_split(4), batch.ends.tensor_split(4), strict=True)
        encoded = [
            text_tower(self.clip, self.rows[tokens[:, : int(ends.max()) + 1]], ends)
            for tokens, ends in groups
            if len(ends)
        ]
        return torch.cat(encoded)  # (N, D)

    def _head_loss(self, before: Tensor, facts: Tensor) -> Tensor:
        total = torch.zeros(())
        for column, (name, head) in enumerate(self.heads.items()):
            target = facts[:, column]
            if (target >= 0).any():
                weight = 2.0 if name == "icon" else 1.0  # shapes are the slowest to learn
                loss = F.cross_entropy(head(before), target, ignore_index=-1)
                total = total + weight * loss
        return total


def text_to_image(logits: Tensor, caption_of: Tensor) -> Tensor:
    """Cross-entropy from each caption to all pictures that carry it, averaged over captions.

    Args:
        logits: (B, N) scaled similarities of B pictures and N different captions.
        caption_of: (B,) caption of each picture; every caption belongs to at least one.

    Returns:
        Scalar.
    """
    mine = F.one_hot(caption_of, logits.shape[1]).T.float()  # (N, B)
    return -(F.log_softmax(logits.T, dim=1) * mine / mine.sum(1, keepdim=True)).sum(1).mean()


def _plane_waves(grid: int, width: int) -> Tensor:
    """Fixed 2-D sine and cosine position codes (grid * grid, width), a good start."""
    where = torch.arange(grid).float()
    rate = 1.0 / 40 ** (torch.arange(width // 4) / (width / 4))
    phase = where[:, None] * rate * 2
    wave = torch.cat([torch.sin(phase), torch.cos(phase)], dim=1)  # (g, W/2)
    rows, columns = wave[:, None].expand(-1, grid, -1), wave[None].expand(grid, -1, -1)
    return torch.cat([rows, columns], dim=-1).reshape(grid * grid, width)
