"""KgCoOp: CoOp whose text features stay near those of hand-written prompts."""

from __future__ import annotations

from typing import Any

from torch import nn

from npt_plugin.backbone.interface import Backbone
from npt_plugin.datasets.prompt_templates import KGCOOP
from npt_plugin.losses.nearness import KnowledgeGuidanceLoss
from npt_plugin.losses.objective import Objective
from npt_plugin.system.options import in_range
from npt_plugin.trainers.coop import CoOp
from npt_plugin.trainers.named_text import text_features_of
from npt_plugin.trainers.zeroshot import template_of


class KgCoOp(CoOp):
    """CoOp with ``TRAINER.COOP.W`` times 1 - mean cosine to zero-shot text features added.

    Source: Yao et al., Visual-Language Prompt Tuning with Knowledge-guided Context Optimization,
    CVPR 2023, arXiv:2303.13283.
    """

    def check_cfg(self, cfg: Any) -> None:
        """Refuse a negative weight."""
        super().check_cfg(cfg)
        in_range("TRAINER.COOP.W", cfg.TRAINER.COOP.W, 0)

    def build_objective(self, clip_model: Backbone) -> nn.Module | None:
        """The one term."""
        template = template_of(self.cfg, KGCOOP)
        anchor = text_features_of(
            clip_model, self.classnames, template, self.model.text_encoder.chunk
        )
        weights = {"kg": self.cfg.TRAINER.COOP.W}
        return Objective({"kg": KnowledgeGuidanceLoss(anchor)}, weights).to(self.device)
