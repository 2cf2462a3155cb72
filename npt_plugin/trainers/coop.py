"""CoOp: context words learned by gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.outputs import normalize
from npt_plugin.errors import UserError, nearest_hint
from npt_plugin.trainers.base import PromptTrainer
from npt_plugin.trainers.context import TextContext, initial_context
from npt_plugin.trainers.model import PromptedCLIP
from npt_plugin.trainers.named_text import text_features_of
from npt_plugin.trainers.zeroshot import template_of

POSITIONS = ("end", "middle", "front")


def build_context(cfg: Any, classnames: Sequence[str], clip_model: Backbone) -> TextContext:
    """CoOp's context from ``TRAINER.COOP``; CSC starts each class from noise of its own."""
    node = cfg.TRAINER.COOP
    per_class = (len(classnames),) if node.CSC else ()
    ctx, words = initial_context(clip_model, node, *per_class)
    return TextContext(clip_model, classnames, ctx, words, node.CLASS_TOKEN_POSITION)


class CoOpCLIP(PromptedCLIP):
    """CLIP with one learned context, shared by all classes or one per class (CSC).

    With ``TEST.ZERO_SHOT_SHARE`` a, what is tested (and exported, and predicted with) has the
    direction of a x zero-shot + (1 - a) x learned text features; training is as without.
    """

    shares_zero_shot = True
    zero_shot_text: Tensor

    def __init__(self, cfg: Any, classnames: Sequence[str], clip_model: Backbone) -> None:
        super().__init__(cfg, classnames, clip_model)
        self.prompt_learner = self.build_context(cfg, classnames, clip_model)
        self.zero_shot_share = cfg.TEST.ZERO_SHOT_SHARE
        if self.zero_shot_share:
            chunk = self.text_encoder.chunk
            fixed = text_features_of(clip_model, classnames, template_of(cfg), chunk)
            self.register_buffer("zero_shot_text", fixed, persistent=False)  # (K, D)

    def build_context(
        self, cfg: Any, classnames: Sequence[str], clip_model: Backbone
    ) -> TextContext:
        """Where the context starts."""
        return build_context(cfg, classnames, clip_model)

    def text_features(self) -> Tensor:
        """Unit-norm text features (K, D)."""
        learner = self.prompt_learner
        text = normalize(self.text_encoder(learner(), learner.eot, layout=learner.layout))
        if self.training or not self.zero_shot_share:
            return text
        return normalize(torch.lerp(text, self.zero_shot_text.to(text.dtype), self.zero_shot_share))

    def prompts_for(self, features: Tensor) -> Tensor:
        """The same prompts for all images: (1, K, L, W)."""
        return self.prompt_learner().unsqueeze(0)


class CoOp(PromptTrainer):
    """Context optimisation.

    Source: Zhou et al., Learning to Prompt for Vision-Language Models, IJCV 2022, arXiv:2109.01134.
    """

    model_class = CoOpCLIP

    @classmethod
    def config_nodes(cls) -> set[str]:
        """Also the template of zero-shot prompts, should a share of them be tested."""
        return super().config_nodes() | {"ZSCLIP"}

    def check_cfg(self, cfg: Any) -> None:
        """Refuse an unknown class-token position."""
        super().check_cfg(cfg)
        value = cfg.TRAINER.COOP.CLASS_TOKEN_POSITION
        if value not in POSITIONS:
            raise UserError(
                f"TRAINER.COOP.CLASS_TOKEN_POSITION is {value!r}{nearest_hint(value, POSITIONS)}; "
                f"allowed are {', '.join(POSITIONS)}."
            )
