"""A text tower in which positions see what follows them: all of its length is computed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from npt_plugin.backbone.block import FamilyModule, normed
from npt_plugin.backbone.blocks import run_block
from npt_plugin.backbone.launches import bound_by_launches
from npt_plugin.backbone.prompt_layout import PromptLayout
from npt_plugin.backbone.recorded import replayed
from npt_plugin.backbone.text_tower import TextTower, replace_context


class WholeTextTower(TextTower):
    """open_clip's text tower without a causal mask (SigLIP, MobileCLIP), or with a token behind it.

    Nothing can be cut or shared: every position, padding too, changes all others. CoCa's tower is
    causal, but its feature is that of a token put behind the padding, which sees the start of it.

    Args:
        text: As in the base; ``cls_emb`` is CoCa's token, None elsewhere.
        starts, chunk: As in the base.
    """

    cls_emb: nn.Parameter | None

    def __init__(self, text: FamilyModule, starts: int = 1, chunk: int = 0) -> None:
        super().__init__(text, starts, chunk)
        self.cls_emb = getattr(text, "cls_emb", None)

    def _encode(
        self, prompts: Tensor, eot: Tensor, deep: Sequence[Tensor], layout: PromptLayout | None
    ) -> Tensor:
        groups = prompts if prompts.ndim == 4 else prompts.unsqueeze(0)  # (G, K, L, W)
        x = groups.flatten(0, 1).to(self.dtype)  # (G K, L, W)
        ends = eot.repeat(len(groups))
        chunk = self.prompts_at_once(x.shape[1], 0, x)
        again = 0 < chunk < len(x) and torch.is_grad_enabled()
        features = []
        for some, at in zip(x.split(chunk or len(x)), ends.split(chunk or len(x)), strict=True):
            if again:
                work = checkpoint(
                    self._features, some, at, *deep, use_reentrant=False, preserve_rng_state=False
                )
            elif bound_by_launches(x.device, some.shape[0] * some.shape[1]):
                work = replayed(self, self._features, some, at, *deep)
            else:
                work = self._features(some, at, *deep)
            features.append(work)
        out = torch.cat(features).unflatten(0, groups.shape[:2])  # (G, K, D)
        return out if prompts.ndim == 4 else out[0]

    def _features(self, x: Tensor, ends: Tensor, *deep: Tensor) -> Tensor:
        """Features (n, D) of embeddings (n, L, W)."""
        mask = None
        if self.cls_emb is not None:
            last = self.cls_emb.to(x.dtype).expand(len(x), 1, -1)
            x = torch.cat([x, last], dim=1)
            mask = _coca_mask(ends, x.shape[1])
            ends = torch.full_like(ends, x.shape[1] - 1)
        x = x + self.positional_embedding[: x.shape[1]].to(x.dtype)
        for index, block in enumerate(self.blocks):
            if 0 < index <= len(deep):
                x = replace_context(x, deep[index - 1], self.starts)
            x = run_block(block, x, causal=False, mask=mask)
        at = ends.view(-1, 1, 1).expand(-1, 1, x.shape[-1])
        return self.project(normed(self.ln_final, x.gather(1, at)[:, 0]).to(self.dtype))


def _coca_mask(ends: Tensor, length: int) -> Tensor:
    """Who sees whom in CoCa's text tower, (n, 1, L, L): causal, and of the padding one position.

    A key is hidden where the token before it is padding, as in the weights' training.
    """
    places = torch.arange(length, device=ends.device)
    before = places <= places.unsqueeze(1)  # (L, L)
    return before & (places <= ends.view(-1, 1, 1, 1) + 1)
