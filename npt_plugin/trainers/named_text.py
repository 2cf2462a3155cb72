"""A sentence for each class name, and its text features through a tower that may learn."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.outputs import normalize
from npt_plugin.backbone.prompt_layout import PromptLayout
from npt_plugin.backbone.text_tower import TextTower


class NamedText(nn.Module):
    """``template.format(name)`` for each of K class names.

    Args:
        clip_model: Gives the table of token embeddings; shared, not copied.
        classnames: K names; underscores are read as spaces.
        template: Prompt with one ``{}``.
    """

    tokens: Tensor  # (K, L)

    def __init__(self, clip_model: Backbone, classnames: Sequence[str], template: str) -> None:
        super().__init__()
        texts = [template.format(name.replace("_", " ")) for name in classnames]
        tokens, eot = clip_model.cut(clip_model.tokenizer(texts))  # (K, L), (K,)
        self.token_table, self.dtype = clip_model.token_table, clip_model.dtype
        self.register_buffer("tokens", tokens, persistent=False)
        self.layout = PromptLayout(tokens, eot, causal=clip_model.causal)
        self.to(self.token_table.weight.device)

    def forward(self, tower: TextTower) -> Tensor:
        """Unit-norm text features (K, D)."""
        return normalize(self.features(tower))

    def features(self, tower: TextTower) -> Tensor:
        """Text features (K, D) as the tower gives them."""
        embedding = self.token_table(self.tokens).to(self.dtype)  # (K, L, W)
        return tower(embedding, self.layout.eot, layout=self.layout)


@torch.no_grad()
def text_features_of(
    clip_model: Backbone, classnames: Sequence[str], template: str, chunk: int = 0
) -> Tensor:
    """Unit-norm features (K, D) of ``template.format(name)`` for each class name.

    Args:
        clip_model: The backbone.
        classnames: K names; underscores are read as spaces.
        template: Prompt with one ``{}``.
        chunk: Prompts encoded at a time; 0: all.
    """
    return NamedText(clip_model, classnames, template)(clip_model.text_tower(chunk))
