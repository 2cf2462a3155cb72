"""VPT: deep prompts in the image tower, a fixed text prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from npt_plugin.backbone.interface import Backbone
from npt_plugin.trainers.base import PromptTrainer
from npt_plugin.trainers.model import PromptedCLIP
from npt_plugin.trainers.named_text import text_features_of
from npt_plugin.trainers.visual import VisualPrompts, visual_checkpoint_key

TEMPLATE = "a photo of a {}."
"""The text prompt, whatever ``CTX_INIT`` says: the public code does the same."""


class VPTCLIP(PromptedCLIP):
    """CLIP with visual prompts only."""

    learns_image_side = True
    learns_text_side = False
    prec_node = "VPT"
    fixed_text: Tensor

    def __init__(self, cfg: Any, classnames: Sequence[str], clip_model: Backbone) -> None:
        super().__init__(cfg, classnames, clip_model)
        node = cfg.TRAINER.VPT
        self.visual_prompts = VisualPrompts(
            self.image_encoder, node.N_CTX_VISION, node.PROMPT_DEPTH_VISION, "VPT", cfg
        )
        features = text_features_of(clip_model, classnames, TEMPLATE, self.text_encoder.chunk)
        self.register_buffer("fixed_text", features, persistent=False)  # (K, D)

    def encode_images(self, images: Tensor) -> Tensor:
        """Image features (B, D) with visual prompts."""
        return self.visual_prompts(self.image_encoder, images)

    def text_features(self) -> Tensor:
        """Unit-norm text features (K, D) of the fixed prompt."""
        return self.fixed_text

    def checkpoint_key(self, name: str) -> str:
        """The public checkout keeps visual prompts inside the tower."""
        return visual_checkpoint_key(name)


class VPT(PromptTrainer):
    """Visual prompt tuning on CLIP.

    Source: Jia et al., Visual Prompt Tuning, ECCV 2022, arXiv:2203.12119, as run beside MaPLe.
    """

    model_class = VPTCLIP
