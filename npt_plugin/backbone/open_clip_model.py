"""The interface over the models of open_clip, whatever towers they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from npt_plugin.backbone.block import FamilyModule, block_obstacle
from npt_plugin.backbone.image_tower import RESNET, ImageTower, ViT
from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.openai import MEAN, STD
from npt_plugin.backbone.pooled_vit import PooledViT, TimmViT
from npt_plugin.backbone.text_tower import TextTower
from npt_plugin.backbone.tokenizer import Tokenizer
from npt_plugin.backbone.whole_text import WholeTextTower
from npt_plugin.errors import UserError

_CONVOLUTIONS = ("ConvNeXt", "FastVit", "ByobNet", "MobileCLIP")
_ROTARY = "its attention turns tokens by their place in the image, and a prompt has no place"


class OpenClip(Backbone):
    """open_clip's ``CLIP``, ``CustomTextCLIP`` and ``CoCa``.

    Args:
        model: As ``open_clip.create_model`` makes it.
        tokenizer: Of the same model.
        recipe: How its own library builds the image tower, see ``image_recipe.py``.

    Raises:
        UserError: If its text tower is one that takes no embeddings.
    """

    def __init__(
        self, model: FamilyModule, tokenizer: Tokenizer, recipe: Mapping[str, Any] | None = None
    ) -> None:
        visual = model.visual
        size = visual.image_size
        height, width = (size, size) if isinstance(size, int) else size
        seen = getattr(visual, "preprocess_cfg", {})
        mean, std = seen.get("mean", MEAN), seen.get("std", STD)
        super().__init__(model, tokenizer, (height, width), mean, std)
        self.recipe = recipe
        kind = type(self._text).__name__
        blocks = getattr(getattr(self._text, "transformer", None), "resblocks", None)
        why = f"it is a {kind}" if blocks is None else block_obstacle(blocks)
        if why:
            raise UserError(
                f"The text tower of this model cannot be given prompts, as {why}: use a model "
                "with open_clip's own text tower."
            )
        self.causal = self._text.attn_mask is not None and self._class_token is None

    @property
    def _text(self) -> FamilyModule:
        """What holds the text tower's parts: of its own in newer models, the model in older."""
        return getattr(self.model, "text", self.model)

    @property
    def _class_token(self) -> nn.Parameter | None:
        """CoCa's token behind each text."""
        return getattr(self._text, "cls_emb", None)

    def image_tower(self) -> ImageTower:
        """A ViT whose blocks we run, or the module as it is."""
        visual = self.model.visual
        if not hasattr(visual, "trunk"):
            return _own_tower(visual)
        trunk = visual.trunk
        if type(trunk).__name__ == "VisionTransformer":
            return TimmViT(visual, self.dim)
        return WholeTrunk(visual, self.dim, _trunk_obstacle(trunk))

    def text_tower(self, chunk: int = 0) -> TextTower:
        """Cut and shared where it is causal; else of whole length."""
        kind = TextTower if self.causal else WholeTextTower
        return kind(self._text, self.tokenizer.starts, chunk)

    @property
    def token_table(self) -> nn.Embedding:
        """(V, W)."""
        return self._text.token_embedding

    def ends(self, tokens: Tensor) -> Tensor:
        """Where each text is pooled; for CoCa where its last token stands."""
        if self._class_token is not None:
            return tokens.argmax(dim=-1)
        kind = getattr(self._text, "text_pool_type", getattr(self._text, "pool_type", ""))
        if kind == "argmax":
            return tokens.argmax(dim=-1)
        if kind == "eos":
            eos: Any = getattr(self._text, "text_eos_id", getattr(self._text, "eos_id", None))
            return tokens.eq(eos).int().argmax(dim=-1)
        place = {"last": tokens.shape[1] - 1, "first": 0}[kind]
        return tokens.new_full((len(tokens),), place, dtype=tokens.dtype).long()

    @property
    def logit_scale(self) -> nn.Parameter:
        """Logarithm of what cosines are multiplied by."""
        return self.model.logit_scale

    @property
    def logit_bias(self) -> nn.Parameter | None:
        """SigLIP's bias."""
        return self.model.logit_bias


class WholeTrunk(ImageTower):
    """A model of timm that runs as it is."""

    def cast(self, dtype: torch.dtype) -> None:
        """All of it to halves, as open_clip does it for models of timm."""
        self.visual.to(dtype)


def _own_tower(visual: FamilyModule) -> ImageTower:
    """open_clip's own image towers."""
    if not hasattr(visual, "transformer"):
        return ImageTower(visual, visual.output_dim, RESNET)
    obstacle = block_obstacle(visual.transformer.resblocks)
    if obstacle:
        return WholeTrunk(visual, visual.output_dim, obstacle)
    return (
        ViT(visual) if visual.attn_pool is None and visual.pool_type == "tok" else PooledViT(visual)
    )


def _trunk_obstacle(trunk: FamilyModule) -> str:
    kind = type(trunk).__name__
    if kind == "Eva":
        return _ROTARY
    if kind in _CONVOLUTIONS:
        return f"it is a convolutional {kind}, which has no sequence of tokens"
    return f"it is a {kind}, whose blocks are not run part by part here"
