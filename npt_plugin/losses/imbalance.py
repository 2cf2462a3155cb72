"""Every classification loss by name, and the builder that reads ``TRAINER.IMBALANCE_LOSS``."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from yacs.config import CfgNode

from npt_plugin.errors import UserError
from npt_plugin.losses.adjustment import LogitAdjustedLoss
from npt_plugin.losses.classification import ClassificationLoss, CrossEntropyLoss, FocalLoss
from npt_plugin.losses.gcl import GCLLoss
from npt_plugin.losses.lade import LADELoss
from npt_plugin.losses.margin import LDAMLoss
from npt_plugin.losses.options import check_counts, in_range, one_of
from npt_plugin.losses.smoothing import (
    SMOOTHING_SHAPES,
    LabelAwareSmoothingLoss,
    smoothing_factors,
)
from npt_plugin.losses.weighting import (
    effective_number_weights,
    inverse_frequency_weights,
    power_weights,
)
from npt_plugin.optim.noise import noise_seed

KEY = "TRAINER.IMBALANCE_LOSS"
Builder = Callable[[CfgNode, Tensor, dict], ClassificationLoss]

# name -> builder(node, class_counts, weighting); ``weighting`` holds the DRW arguments
CLASSIFICATION_LOSSES: dict[str, Builder] = {
    "ce": lambda node, n, drw: CrossEntropyLoss(n, **drw),
    "focal": lambda node, n, drw: FocalLoss(n, node.FOCAL_GAMMA, **drw),
    "cbw": lambda node, n, drw: CrossEntropyLoss(n, inverse_frequency_weights(n)),
    "cb": lambda node, n, drw: CrossEntropyLoss(n, effective_number_weights(n, node.CB_BETA)),
    "grw": lambda node, n, drw: CrossEntropyLoss(n, power_weights(n, node.GRW_POWER)),
    "ldam": lambda node, n, drw: LDAMLoss(n, node.LDAM_MARGIN, node.LOGIT_SCALE, **drw),
    "balanced_softmax": lambda node, n, drw: LogitAdjustedLoss(n, 1.0, **drw),
    "logit_adjustment": lambda node, n, drw: LogitAdjustedLoss(n, node.TAU, **drw),
    "gcl": lambda node, n, drw: _gcl(node, n, drw),
    "lade": lambda node, n, drw: LADELoss(n, node.LADE_ALPHA, node.LADE_LAMBDA, **drw),
    "label_aware": lambda node, n, drw: LabelAwareSmoothingLoss(n, _factors(node, n), **drw),
}
WEIGHTED_THROUGHOUT = ("cbw", "cb", "grw")


def build_classification_loss(cfg: CfgNode, class_counts: Tensor) -> ClassificationLoss:
    """The loss that ``TRAINER.IMBALANCE_LOSS`` describes.

    Args:
        cfg: A config with ``TRAINER.IMBALANCE_LOSS`` and, for seeded noise, ``SEED``.
        class_counts: (K,), training images per class; its device becomes the loss's.

    Returns:
        A module: ``loss(logits (B, K), labels (B,))`` is a scalar, ``loss.set_epoch(epoch)``
        drives deferred re-weighting. The name ``ce`` is ``F.cross_entropy`` bit for bit.

    Raises:
        UserError: If a key has a value that is not allowed.
        ValueError: If a class has no training image (names it).
    """
    node = cfg.TRAINER.IMBALANCE_LOSS
    check_counts(class_counts)
    one_of(f"{KEY}.NAME", node.NAME, CLASSIFICATION_LOSSES)
    _check_ranges(node)
    if node.DRW_EPOCH >= 0 and node.NAME in WEIGHTED_THROUGHOUT:
        raise UserError(
            f"{KEY}.DRW_EPOCH is {node.DRW_EPOCH}, but {node.NAME} re-weights from the first epoch;"
            f" leave DRW_EPOCH at -1 or choose another {KEY}.NAME."
        )
    weighting = {"drw_epoch": node.DRW_EPOCH, "drw_beta": node.DRW_BETA}
    if node.NAME == "gcl":
        weighting["seed"] = noise_seed(cfg)
    loss = CLASSIFICATION_LOSSES[node.NAME](node, class_counts, weighting)
    return loss.to(class_counts.device)


def _check_ranges(node: CfgNode) -> None:
    for name in ("FOCAL_GAMMA", "GRW_POWER", "LDAM_MARGIN", "GCL_MARGIN", "GCL_NOISE", "GCL_GAMMA"):
        in_range(f"{KEY}.{name}", node[name], 0)
    for name in ("LADE_ALPHA", "LADE_LAMBDA"):
        in_range(f"{KEY}.{name}", node[name], 0)
    for name in ("SMOOTH_HEAD", "SMOOTH_TAIL"):
        in_range(f"{KEY}.{name}", node[name], 0, 1)
    in_range(f"{KEY}.SMOOTH_POWER", node.SMOOTH_POWER, 1e-6)
    in_range(f"{KEY}.LOGIT_SCALE", node.LOGIT_SCALE, 1e-6)
    in_range(f"{KEY}.DRW_EPOCH", node.DRW_EPOCH, -1)
    for name in ("CB_BETA", "DRW_BETA"):
        in_range(f"{KEY}.{name}", node[name], 0, 1 - 1e-9)
    one_of(f"{KEY}.SMOOTH_SHAPE", node.SMOOTH_SHAPE, SMOOTHING_SHAPES)


def _gcl(node: CfgNode, counts: Tensor, weighting: dict) -> ClassificationLoss:
    return GCLLoss(
        counts, node.GCL_MARGIN, node.GCL_NOISE, node.LOGIT_SCALE, node.GCL_GAMMA, **weighting
    )


def _factors(node: CfgNode, counts: Tensor) -> Tensor:
    return smoothing_factors(
        counts, node.SMOOTH_HEAD, node.SMOOTH_TAIL, node.SMOOTH_SHAPE, node.SMOOTH_POWER
    )
