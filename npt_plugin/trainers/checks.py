"""Checks of config keys that every trainer reads; each failure is one sentence."""

from __future__ import annotations

from typing import Any

from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.loading import backbone_name
from npt_plugin.errors import UserError
from npt_plugin.system.options import in_range

PROMPTS_WITHOUT_VIT = "CoOp or CoCoOp"
HEAD_WITHOUT_VIT = "LinearProbe with TRAINER.LINEAR_PROBE.FEATURE projected"


def check_pieces(value: int) -> int:
    """``TRAIN.IMAGE_CHUNKS``, at least 1.

    Raises:
        UserError: below 1.
    """
    if value < 1:
        raise UserError(
            f"TRAIN.IMAGE_CHUNKS is {value}; it is the number of pieces of a batch, 1 or more."
        )
    return value


def check_image_size(cfg: Any, clip_model: Backbone) -> None:
    """Refuse images of a size the backbone cannot take.

    Raises:
        UserError: If ``INPUT.SIZE`` is not the backbone's input resolution.
    """
    wanted = clip_model.image_size
    if tuple(cfg.INPUT.SIZE) != wanted:
        raise UserError(
            f"INPUT.SIZE is {tuple(cfg.INPUT.SIZE)}, but {backbone_name(cfg)} takes images of "
            f"{wanted}: set INPUT.SIZE to that."
        )


def require_vit(obstacle: str, needs: str, backbone: str, instead: str) -> None:
    """Refuse a tower where the layers or tokens of a ViT are needed.

    Args:
        obstacle: Of the image tower: its ``obstacle``, or ``no_class_token``.
        needs: What needs them and how, as the beginning of a sentence.
        backbone: Name of the backbone.
        instead: What works on any.

    Raises:
        UserError: If the image tower is no ViT whose layers we can run.
    """
    if obstacle:
        raise UserError(
            f"{needs} of a ViT, which {backbone} does not allow, as {obstacle}: use a ViT of "
            f"OpenAI's or LAION's, or {instead}."
        )


def check_tau_norm(cfg: Any, model: Any) -> None:
    """Refuse tau-normalisation where it would silently do nothing.

    Args:
        cfg: The run's config.
        model: Its ``PromptedCLIP``.

    Raises:
        UserError: If ``TAU_NORM`` is negative, or set for a classifier whose rows have norm 1.
    """
    key = "TRAINER.IMBALANCE_LOSS.TAU_NORM"
    tau = in_range(key, cfg.TRAINER.IMBALANCE_LOSS.TAU_NORM, 0)
    if tau and not model.takes_tau_norm:
        raise UserError(
            f"{key} is {tau}, but the classifier of {cfg.TRAINER.NAME} has no norms of its own to "
            "normalise (text and cosine rows all count with norm 1), so it would do nothing: set "
            "it to 0, or use a trainer with TRAINER.HEAD.NAME linear."
        )


def check_zero_shot_share(cfg: Any, model_class: Any) -> None:
    """Refuse a share of zero-shot text where nothing would be shared.

    Args:
        cfg: The run's config.
        model_class: Its ``PromptedCLIP`` class.

    Raises:
        UserError: If ``TEST.ZERO_SHOT_SHARE`` is not in [0, 1], or set for another kind of method.
    """
    key = "TEST.ZERO_SHOT_SHARE"
    if in_range(key, cfg.TEST.ZERO_SHOT_SHARE, 0, 1) and not model_class.shares_zero_shot:
        raise UserError(
            f"{key} is {cfg.TEST.ZERO_SHOT_SHARE:g}, but {cfg.TRAINER.NAME} tests no mixture "
            "of learned and zero-shot text features: set it to 0, or use CoOp, KgCoOp or ProGrad."
        )
