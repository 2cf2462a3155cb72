"""A causal text encoder on prompt embeddings: cut, shared and chunked, all of it exact."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from npt_plugin.backbone.block import Block, FamilyModule, clip_blocks, normed
from npt_plugin.backbone.blocks import finish_block, split_heads
from npt_plugin.backbone.frozen_linear import frozen_linear
from npt_plugin.backbone.halves import halve
from npt_plugin.backbone.launches import bound_by_launches
from npt_plugin.backbone.prompt_layout import PromptLayout
from npt_plugin.backbone.recorded import replayed
from npt_plugin.backbone.text_chunks import AUTOMATIC, automatic_chunk
from npt_plugin.engine.distributed import gathered
from npt_plugin.system import ranks


class TextTower(nn.Module):
    """CLIP's text encoder on prompt embeddings instead of tokens.

    It computes the start that all prompts of a group have in common once, passes prompts of similar
    length together, and in the last layer looks at the end-of-text position alone. Processes of
    one run divide the classes.

    Args:
        text: The family's module that holds ``transformer``, ``positional_embedding``,
            ``ln_final`` and ``text_projection`` (OpenAI's names, which open_clip has too); they are
            shared, not copied.
        starts: Marks before the first word, see ``Tokenizer.starts``.
        chunk: Prompts encoded at a time, each chunk recomputed in backward (activation
            checkpointing), so that memory does not grow with K. 0: all at once; -1: as many as fit
            into half of the memory that is free at the first call.
    """

    transformer: FamilyModule
    positional_embedding: Tensor
    ln_final: nn.Module
    text_projection: Any

    def __init__(self, text: FamilyModule, starts: int = 1, chunk: int = 0) -> None:
        super().__init__()
        self.transformer = text.transformer
        self.positional_embedding = text.positional_embedding
        self.ln_final = text.ln_final
        self.text_projection = text.text_projection
        self.starts, self.chunk = starts, chunk

    @property
    def blocks(self) -> list[Block]:
        """The layers, first to last."""
        return clip_blocks(self.transformer.resblocks)

    @property
    def last_norm(self) -> nn.Module:
        """The LayerNorm between the last layer and the projection."""
        return self.ln_final

    @property
    def projection(self) -> nn.Parameter | None:
        """Matrix to the joint space; None: D is W."""
        projection: Any = self.text_projection
        return getattr(projection, "weight", projection)  # of a linear map

    @property
    def obstacle(self) -> str:
        """Why prompts cannot be put between its layers; empty where they can."""
        return ""

    @property
    def depth(self) -> int:
        """Number of layers."""
        return len(self.blocks)

    @property
    def dim(self) -> int:
        """D of the features."""
        projection = self.text_projection
        if isinstance(projection, nn.Linear):
            return projection.out_features
        return self.blocks[0].width if projection is None else projection.shape[1]

    @property
    def dtype(self) -> torch.dtype:
        """Dtype the blocks compute in."""
        projection = self.projection
        return self.blocks[0].out.weight.dtype if projection is None else projection.dtype

    def cast(self, dtype: torch.dtype) -> None:
        """Linear maps to halves, in place."""
        halve(self, dtype)

    def shares_weights(self) -> Hashable:
        """Equal for towers that share their modules."""
        return id(self.transformer)

    def forward(
        self,
        prompts: Tensor,
        eot: Tensor,
        deep: Sequence[Tensor] = (),
        layout: PromptLayout | None = None,
    ) -> Tensor:
        """Text features, not normalised.

        Args:
            prompts: (K, L, W) embeddings cut after the last end-of-text token, or (G, K, L, W):
                the same K classes with another context in each of G groups.
            eot: (K,) position of each prompt's end-of-text token, < L.
            deep: Prompts (n, W) that replace the context before layers 1, 2, ...
            layout: What the K prompts have in common; None: nothing.

        Returns:
            (K, D), or (G, K, D).
        """
        if layout is None or prompts.ndim == 4 or ranks.alone():
            return self._encode(prompts, eot, deep, layout)
        own = ranks.share(len(prompts))
        features = self._encode(prompts[own], eot[own], deep, layout.part(own))
        return gathered(features, len(prompts))

    def _encode(
        self, prompts: Tensor, eot: Tensor, deep: Sequence[Tensor], layout: PromptLayout | None
    ) -> Tensor:
        x = prompts if prompts.ndim == 4 else prompts.unsqueeze(0)  # (G, K, L, W)
        n_groups, n_classes, length, _ = x.shape
        x = x.to(self.dtype) + self.positional_embedding[:length].to(self.dtype)
        if few := bound_by_launches(x.device, n_groups * n_classes * length):
            layout = None
        shared = layout.shared if layout is not None else 0
        if deep and shared < self.starts + len(deep[0]):  # what is replaced must be common
            shared = 0
        chunk = self.prompts_at_once(length, shared, x)
        start = self._start(x[:, 0, :shared], deep) if shared else ()
        inner = () if shared else tuple(deep)
        features = []
        chunk = max(1, chunk // n_groups) if chunk else n_classes  # classes
        for rows, upto in _parts(layout, chunk, n_classes, length):
            some = x if rows is None else x[:, rows]
            ends = (eot if rows is None else eot[rows]) - shared
            own = some[:, :, shared:upto]
            work: tuple[Any, ...] = (self._ends, own, ends, few, len(inner), *inner, *start)
            if chunk < n_classes and torch.is_grad_enabled():
                features.append(checkpoint(*work, use_reentrant=False, preserve_rng_state=False))
            elif few:
                features.append(replayed(self, self._whole, own, ends, *inner))
            else:
                features.append(work[0](*work[1:]))
        out = torch.cat(features, dim=1) if len(features) > 1 else features[0]  # (G, K, D)
        if layout is not None and len(features) > 1:
            out = out[:, layout.back]
        return out if prompts.ndim == 4 else out[0]

    def prompts_at_once(self, length: int, shared: int, like: Tensor) -> int:
        """Prompts of ``length`` positions encoded at a time, 0 for all; decides if automatic."""
        if self.chunk == AUTOMATIC:
            device, size = like.device, like.element_size()
            own = length - shared
            self.chunk = automatic_chunk(self.blocks, own, length, size, device)
        return self.chunk

    def _start(self, x: Tensor, deep: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Keys and values of the common start in every layer.

        Args:
            x: (G, S, W) its embeddings.
            deep: As in ``forward``; the context they replace must lie in the start.

        Returns:
            Key and value (G, heads, S, W / heads) of layer 0, of layer 1, ...
        """
        found: list[Tensor] = []
        blocks = self.blocks
        for index, block in enumerate(blocks):
            if 0 < index <= len(deep):
                x = replace_context(x, deep[index - 1], self.starts)
            y = normed(block.norm1, x)
            if index + 1 == len(blocks):  # no later layer looks at its output
                found += split_heads(block, y, 1, 3)
                break
            q, k, v = split_heads(block, y, 0, 3)
            found += [k, v]
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = finish_block(block, x, mixed.transpose(1, 2).reshape(x.shape))
        return tuple(found)

    def _whole(self, x: Tensor, ends: Tensor, *deep: Tensor) -> Tensor:
        """Features of prompts with nothing in common, in the fewest kernels; as ``_ends``."""
        return self._ends(x, ends, True, len(deep), *deep)

    def _ends(self, x: Tensor, ends: Tensor, few: bool, n_deep: int, *rest: Tensor) -> Tensor:
        """Features of what follows the common start.

        Args:
            x: (G, n, T, W) embeddings from the first position that is not common.
            ends: (n,) place of the end-of-text token in T.
            few: Whether the fewest kernels are best; nothing is in common then.
            n_deep: How many of ``rest`` are deep prompts; the others are ``_start``'s.
            rest: Tensors of both kinds.

        Returns:
            (G, n, D).
        """
        deep, start = rest[:n_deep], rest[n_deep:]
        blocks, length = self.blocks, x.shape[2]
        places = torch.arange(length, device=x.device)  # (T,)
        before = None if few else places <= places.unsqueeze(1)  # (T, T)
        for index, block in enumerate(blocks):
            if 0 < index <= n_deep:
                flat = replace_context(x.flatten(0, 1), deep[index - 1], self.starts)
                x = flat.view_as(x)
            common = start[2 * index : 2 * index + 2]
            if index + 1 < len(blocks):
                q, k, v = split_heads(block, normed(block.norm1, x), 0, 3)  # (G, n, heads, T, d)
                x = finish_block(block, x, _attend(q, k, v, before, common))
        y = normed(block.norm1, x)
        at = ends.view(1, -1, 1, 1).expand(len(x), -1, 1, x.shape[-1])
        (q,) = split_heads(block, y.gather(2, at), 0, 1)  # (G, n, heads, 1, d)
        k, v = split_heads(block, y, 1, 3)
        until_end = (places <= ends.unsqueeze(1))[:, None, None]  # (n, 1, 1, T)
        last = finish_block(block, x.gather(2, at), _attend(q, k, v, until_end, common))
        last = normed(self.ln_final, last[:, :, 0]).to(self.dtype)  # (G, n, W)
        return self.project(last)  # (G, n, D)

    def project(self, features: Tensor) -> Tensor:
        """Normed features (..., W) to the joint space (..., D)."""
        projection = self.text_projection
        if isinstance(projection, nn.Linear):
            return frozen_linear(features, projection.weight, projection.bias)
        return features if projection is None else frozen_linear(features, projection.t())


def _parts(
    layout: PromptLayout | None, chunk: int, n_classes: int, length: int
) -> list[tuple[Tensor | slice | None, int]]:
    """Which classes go through together, and up to which position; None: all classes."""
    if layout is None:
        starts = range(0, n_classes, min(chunk, n_classes))
        return [(slice(i, i + chunk) if chunk < n_classes else None, length) for i in starts]
    if len(layout.buckets) == 1 and chunk >= n_classes:
        return [(None, length)]
    counts = [count for count, _ in layout.buckets]
    buckets = zip(layout.by_length.split(counts), layout.buckets, strict=True)
    return [(some, upto) for rows, (n, upto) in buckets for some in rows.split(min(chunk, n))]


def _attend(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, common: Sequence[Tensor]
) -> Tensor:
    """Attention over the common start and over a prompt's own tokens.

    The start's keys and values are not repeated for each prompt: all queries of a group meet them
    in one product.

    Args:
        q: (G, n, heads, Tq, d).
        k: (G, n, heads, T, d).
        v: The same.
        mask: Which own tokens a query sees, broadcastable to (n, heads, Tq, T); None: itself and
            those before it, and there is no start.
        common: Key and value (G, heads, S, d) of the start, or nothing.

    Returns:
        (G, n, Tq, heads * d).
    """
    groups, n, heads, length, d = q.shape
    if not common:
        if mask is not None and mask.ndim > 2:  # (n, 1, 1, T), the same in every group
            mask = mask.expand(groups, *mask.shape).flatten(0, 1)
        q, k, v = (t.flatten(0, 1) for t in (q, k, v))  # each (G * n, heads, ., d)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None)
        return mixed.transpose(1, 2).reshape(groups, n, length, heads * d)
    assert mask is not None
    key, value = common
    q = q * d**-0.5
    joined = q.transpose(1, 2).reshape(groups, heads, n * length, d)
    to_start = (joined @ key.transpose(-1, -2)).view(groups, heads, n, length, -1).transpose(1, 2)
    to_own = (q @ k.transpose(-1, -2)).masked_fill(~mask, float("-inf"))  # (G, n, heads, Tq, T)
    scores = torch.cat([to_start, to_own], dim=-1)  # (G, n, heads, Tq, S + T)
    exact = torch.promote_types(scores.dtype, torch.float32)  # halves: as the fused kernels do
    weights = scores.softmax(dim=-1, dtype=exact).to(v.dtype)
    of_start, of_own = weights.split([key.shape[2], k.shape[3]], dim=-1)
    of_start = of_start.transpose(1, 2).reshape(groups, heads, n * length, -1)
    from_start = (of_start @ value).view(groups, heads, n, length, d).permute(0, 2, 3, 1, 4)
    return ((of_own @ v).transpose(2, 3) + from_start).flatten(3)


def replace_context(x: Tensor, prompt: Tensor, starts: int = 1) -> Tensor:
    """Put (n, W) prompts over the n positions of (N, L, W) after the marks of the start."""
    context = prompt.to(x.dtype).expand(len(x), -1, -1)  # (N, n, W)
    return torch.cat([x[:, :starts], context, x[:, starts + len(prompt) :]], dim=1)
