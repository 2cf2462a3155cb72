"""IVLP: deep prompts in both towers, independent of each other; language-only with vision off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.outputs import normalize
from npt_plugin.trainers.base import PromptTrainer
from npt_plugin.trainers.deep import build_text_context, check_depth, deep_prompts
from npt_plugin.trainers.model import PromptedCLIP
from npt_plugin.trainers.visual import VisualPrompts, visual_checkpoint_key


class TextPrompts(nn.Module):
    """First-layer context and deeper prompts of the text tower."""

    def __init__(self, node: Any, classnames: Sequence[str], clip_model: Backbone) -> None:
        super().__init__()
        self.context = build_text_context(clip_model, classnames, node.N_CTX_TEXT, node.CTX_INIT)
        width = self.context.ctx.shape[-1]
        self.deep = deep_prompts(node.PROMPT_DEPTH_TEXT - 1, node.N_CTX_TEXT, width)


class IVLPCLIP(PromptedCLIP):
    """CLIP with independent prompts in both towers.

    ``PROMPT_DEPTH_VISION`` 0 leaves the image tower as it is: language-only deep prompting.
    """

    prec_node = "IVLP"
    checkpoint_name = "VLPromptLearner"

    def __init__(self, cfg: Any, classnames: Sequence[str], clip_model: Backbone) -> None:
        super().__init__(cfg, classnames, clip_model)
        node = cfg.TRAINER[self.prec_node]
        layers = self.text_encoder.depth
        depth = f"TRAINER.{self.prec_node}.PROMPT_DEPTH_TEXT"
        check_depth(depth, node.PROMPT_DEPTH_TEXT, 1, layers)
        self.learns_image_side = node.PROMPT_DEPTH_VISION > 0
        self.visual_prompts = None
        if self.learns_image_side:
            self.visual_prompts = VisualPrompts(
                self.image_encoder, node.N_CTX_VISION, node.PROMPT_DEPTH_VISION, self.prec_node, cfg
            )
        self.prompt_learner = TextPrompts(node, classnames, clip_model)

    def encode_images(self, images: Tensor) -> Tensor:
        """Image features (B, D), with visual prompts where they are on."""
        if self.visual_prompts is None:
            return self.image_encoder(images)
        return self.visual_prompts(self.image_encoder, images)

    def text_features(self) -> Tensor:
        """Unit-norm text features (K, D)."""
        context, deep = self.prompt_learner.context, list(self.prompt_learner.deep)
        return normalize(self.text_encoder(context(), context.eot, deep, context.layout))

    def checkpoint_key(self, name: str) -> str:
        """The public checkout keeps deep prompts inside the towers' layers."""
        if name.startswith("prompt_learner.deep."):
            layer = int(name.rsplit(".", 1)[1]) + 1
            return f"text_encoder.transformer.resblocks.{layer}.VPT_shallow"
        if name.startswith("visual_prompts."):
            return visual_checkpoint_key(name)
        return name.replace("prompt_learner.context.ctx", "prompt_learner.ctx")


class IVLP(PromptTrainer):
    """Independent vision-language prompting, the ablation beside MaPLe.

    Source: Khattak et al. 2023, arXiv:2210.03117, and the public code beside it.
    """

    model_class = IVLPCLIP
