"""NPT on a base trainer: the same step with collapse and isomorphism terms added."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from npt_plugin.backbone.interface import Backbone
from npt_plugin.errors import UserError
from npt_plugin.losses.joined import JoinedObjective
from npt_plugin.losses.objective import build_objective, needs_zero_shot
from npt_plugin.trainers.base import PromptTrainer
from npt_plugin.trainers.candle import Candle
from npt_plugin.trainers.cocoop import CoCoOp
from npt_plugin.trainers.coop import CoOp
from npt_plugin.trainers.fine_tune import FineTune
from npt_plugin.trainers.ivlp import IVLP
from npt_plugin.trainers.kgcoop import KgCoOp
from npt_plugin.trainers.maple import MaPLe
from npt_plugin.trainers.named_text import text_features_of
from npt_plugin.trainers.prograd import ProGrad
from npt_plugin.trainers.promptsrc import PromptSRC
from npt_plugin.trainers.vpt import VPT
from npt_plugin.trainers.zeroshot import template_of


class NPTMixin(PromptTrainer):
    """Neural-collapse-anchored prompt tuning; the mixin comes before the base trainer.

    With both weights 0 no term is built, and training is the base trainer's bit for bit.

    Source: Zhu et al., Understanding Prompt Tuning for V-L Models Through the Lens of Neural
    Collapse, KDD 2024, arXiv:2306.15955; the formulas are our reading (docs/methods.md).

    Attributes:
        yields_to_host: Whether a project's own trainer of the base's name keeps the name: then
            ``NPT_`` means the project's trainer with NPT on it, whatever ``TRAINER.NPT.BASE`` says.
    """

    yields_to_host = False

    @classmethod
    def config_nodes(cls) -> set[str]:
        """Also the objective's own, and the template of its zero-shot anchors."""
        return super().config_nodes() | {"NPT", "ZSCLIP"}

    def check_cfg(self, cfg: Any) -> None:
        """Refuse what only a host's own trainer has a use for."""
        super().check_cfg(cfg)
        if cfg.TRAINER.NPT.BASE != "plugin":  # with a host's trainer we do not get here
            raise UserError(
                f"TRAINER.NPT.BASE is {cfg.TRAINER.NPT.BASE!r}, but this project has no "
                f"{cfg.TRAINER.NAME[4:]} of its own: leave it at 'plugin'."
            )
        if cfg.TRAINER.NPT.AT != "encoders":
            raise UserError(
                f"TRAINER.NPT.AT is {cfg.TRAINER.NPT.AT!r}, but {cfg.TRAINER.NAME} is ours and "
                "classifies by its encoders' outputs: leave it at 'encoders'."
            )

    def build_objective(self, clip_model: Backbone) -> nn.Module:
        """The terms of ``TRAINER.NPT``."""
        anchors = None
        if needs_zero_shot(self.cfg):
            anchors = self.zero_shot_text(clip_model)
        scale = self.model.head_scale
        objective = build_objective(self.cfg, self.class_counts, anchors, scale).to(self.device)
        own = super().build_objective(clip_model)
        return objective if own is None else JoinedObjective([own, objective])

    def zero_shot_text(self, clip_model: Backbone) -> Tensor:
        """Unit-norm text features (K, D) of CLIP as it was, in the space of the image features."""
        return text_features_of(clip_model, self.classnames, template_of(self.cfg))


class NPT_CoOp(NPTMixin, CoOp):
    """NPT on CoOp."""


class NPT_CoCoOp(NPTMixin, CoCoOp):
    """NPT on CoCoOp: the terms are averaged over images."""


class NPT_MaPLe(NPTMixin, MaPLe):
    """NPT on MaPLe."""


class NPT_VPT(NPTMixin, VPT):
    """NPT on VPT: only the image side moves, so LC is constant and MI does the work."""


class NPT_IVLP(NPTMixin, IVLP):
    """NPT on independent vision-language prompts."""


class NPT_KgCoOp(NPTMixin, KgCoOp):
    """NPT on KgCoOp."""

    yields_to_host = True


class NPT_ProGrad(NPTMixin, ProGrad):
    """NPT on ProGrad: the terms are part of the loss whose gradient is projected."""

    yields_to_host = True


class NPT_PromptSRC(NPTMixin, PromptSRC):
    """NPT on PromptSRC."""

    yields_to_host = True


class NPT_FineTune(NPTMixin, FineTune):
    """NPT on fine-tuning: the towers themselves move towards the collapsed geometry."""

    def zero_shot_text(self, clip_model: Backbone) -> Tensor:
        """As rows of the tower's width where features are unprojected."""
        return self.model.text_rows(self.cfg, clip_model, self.model.projected)


class NPT_Candle(NPTMixin, Candle):
    """NPT on Candle: the terms see its projected texts of the trained classes."""

    yields_to_host = True
