"""MaPLe: deep text prompts, and visual prompts projected from them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.loading import backbone_name
from npt_plugin.backbone.outputs import normalize
from npt_plugin.trainers.base import PromptTrainer
from npt_plugin.trainers.checks import PROMPTS_WITHOUT_VIT, require_vit
from npt_plugin.trainers.deep import build_text_context, check_depth, deep_prompts
from npt_plugin.trainers.model import PromptedCLIP


class CoupledPrompts(nn.Module):
    """Text prompts of the first J layers, with one linear map a layer to the image side.

    Parameters are made in the public checkout's order, so that one seed gives the same start.

    Attributes:
        context: First-layer context and class names.
        proj: First-layer coupling, text width -> image width.
        compound_prompts_text: J - 1 prompts (n_ctx, W_text).
        compound_prompt_projections: Their couplings, which all start equal.
    """

    def __init__(
        self, cfg: Any, classnames: Sequence[str], clip_model: Backbone, image_width: int
    ) -> None:
        super().__init__()
        node = cfg.TRAINER.MAPLE
        self.context = build_text_context(clip_model, classnames, node.N_CTX, node.CTX_INIT)
        text_width = self.context.ctx.shape[-1]
        self.proj = nn.Linear(text_width, image_width)
        self.compound_prompts_text = deep_prompts(node.PROMPT_DEPTH - 1, node.N_CTX, text_width)
        coupling = nn.Linear(text_width, image_width)
        self.compound_prompt_projections = nn.ModuleList(
            copy.deepcopy(coupling) for _ in self.compound_prompts_text
        )

    def visual(self) -> tuple[Tensor, list[Tensor]]:
        """Visual prompts: first layer (n_ctx, W_image), and one such tensor a deeper layer."""
        pairs = zip(self.compound_prompt_projections, self.compound_prompts_text, strict=True)
        return self.proj(self.context.ctx), [project(text) for project, text in pairs]


class MaPLeCLIP(PromptedCLIP):
    """CLIP with coupled prompts in both towers."""

    learns_image_side = True
    prec_node = "MAPLE"
    checkpoint_name = "MultiModalPromptLearner"

    def __init__(self, cfg: Any, classnames: Sequence[str], clip_model: Backbone) -> None:
        super().__init__(cfg, classnames, clip_model)
        needs, backbone = "MaPLe puts prompts between the tokens", backbone_name(cfg)
        require_vit(self.image_encoder.obstacle, needs, backbone, PROMPTS_WITHOUT_VIT)
        deepest = min(self.image_encoder.depth, self.text_encoder.depth)
        check_depth("TRAINER.MAPLE.PROMPT_DEPTH", cfg.TRAINER.MAPLE.PROMPT_DEPTH, 1, deepest)
        width = self.image_encoder.width
        self.prompt_learner = CoupledPrompts(cfg, classnames, clip_model, width)

    def encode_images(self, images: Tensor) -> Tensor:
        """Image features (B, D) with visual prompts."""
        return self.image_encoder(images, *self.prompt_learner.visual())

    def text_features(self) -> Tensor:
        """Unit-norm text features (K, D)."""
        context = self.prompt_learner.context
        deep = list(self.prompt_learner.compound_prompts_text)
        return normalize(self.text_encoder(context(), context.eot, deep, context.layout))

    def checkpoint_key(self, name: str) -> str:
        """The public checkout has the context vectors one level higher."""
        return name.replace("prompt_learner.context.ctx", "prompt_learner.ctx")


class MaPLe(PromptTrainer):
    """Multi-modal prompt learning.

    Source: Khattak et al., MaPLe: Multi-modal Prompt Learning, CVPR 2023, arXiv:2210.03117.
    """

    model_class = MaPLeCLIP
