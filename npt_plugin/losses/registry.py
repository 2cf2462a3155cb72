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
from npt_plugin.losses.smoothing import SMOOTHING_SHAPES, LabelAwareSmoothingLoss, smoothing_factors
from npt_plugin.losses.weighting import (
    effective_number_weights,
    inverse_frequency_weights,
    power_weights,
)
from npt_plugin.optim.noise import noise_seed
from npt_plugin.system.options import check_counts, in_range, one_of

KEY = "TRAINER.IMBALANCE_LOSS"
Builder = Callable[[CfgNode, Tensor, dict, float], ClassificationLoss]

# name -> builder(node, class_counts, weighting, scale); ``weighting`` holds the DRW arguments,
# ``scale`` turns margins into logits
CLASSIFICATION_LOSSES: dict[str, Builder] = {
    "ce": lambda node, n, drw, s: CrossEntropyLoss(n, **drw),
    "focal": lambda node, n, drw, s: FocalLoss(n, node.FOCAL_GAMMA, **drw),
    "cbw": lambda node, n, drw, s: CrossEntropyLoss(n, inverse_frequency_weights(n)),
    "cb": lambda node, n, drw, s: CrossEntropyLoss(n, effective_number_weights(n, node.CB_BETA)),
    "grw": lambda node, n, drw, s: CrossEntropyLoss(n, power_weights(n, node.GRW_POWER)),
    "ldam": lambda node, n, drw, s: LDAMLoss(n, node.LDAM_MARGIN, s, **drw),
    "balanced_softmax": lambda node, n, drw, s: LogitAdjustedLoss(n, 1.0, **drw),
    "logit_adjustment": lambda node, n, drw, s: LogitAdjustedLoss(n, node.TAU, **drw),
    "gcl": lambda node, n, drw, s: _gcl(node, n, drw, s),
    "lade": lambda node, n, drw, s: LADELoss(n, node.LADE_ALPHA, node.LADE_LAMBDA, **drw),
    "label_aware": lambda node, n, drw, s: LabelAwareSmoothingLoss(n, _factors(node, n), **drw),
}
WEIGHTED_THROUGHOUT = ("cbw", "cb", "grw")
WITH_MARGINS = ("ldam", "gcl")


def build_classification_loss(
    cfg: CfgNode, class_counts: Tensor, head_scale: float | None = None
) -> ClassificationLoss:
    """The loss that ``TRAINER.IMBALANCE_LOSS`` describes.

    Margins and noise have the same size in logits on every head, ``LOGIT_SCALE`` times the key:
    it is logits that cross-entropy compares. Only ``LOGIT_SCALE`` 0 asks for cosines of the head.

    Args:
        cfg: A config with ``TRAINER.IMBALANCE_LOSS`` and, for seeded noise, ``SEED``.
        class_counts: (K,), training images per class; its device becomes the loss's.
        head_scale: s of the classifier whose logits are s x cosine; None: a linear one.

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
    scale = margin_scale(node, head_scale)
    loss = CLASSIFICATION_LOSSES[node.NAME](node, class_counts, weighting, scale)
    return loss.to(class_counts.device)


def margin_scale(node: CfgNode, head_scale: float | None) -> float:
    """What turns the margins and noise of ``ldam`` and ``gcl`` into logits.

    Args:
        node: ``TRAINER.IMBALANCE_LOSS``.
        head_scale: s of the head, or None.

    Raises:
        UserError: If the head's own scale is asked for and it has none.
    """
    if node.LOGIT_SCALE or node.NAME not in WITH_MARGINS:
        return node.LOGIT_SCALE
    if head_scale is None:
        raise UserError(
            f"{KEY}.LOGIT_SCALE is 0, the head's own scale, but a linear head has none: leave it "
            "at 100 or give the number of logits that a margin of 1 stands for."
        )
    return head_scale


def _check_ranges(node: CfgNode) -> None:
    for name in ("FOCAL_GAMMA", "GRW_POWER", "LDAM_MARGIN", "GCL_MARGIN", "GCL_NOISE", "GCL_GAMMA"):
        in_range(f"{KEY}.{name}", node[name], 0)
    for name in ("LADE_ALPHA", "LADE_LAMBDA"):
        in_range(f"{KEY}.{name}", node[name], 0)
    for name in ("SMOOTH_HEAD", "SMOOTH_TAIL"):
        in_range(f"{KEY}.{name}", node[name], 0, 1)
    in_range(f"{KEY}.SMOOTH_POWER", node.SMOOTH_POWER, 1e-6)
    in_range(f"{KEY}.LOGIT_SCALE", node.LOGIT_SCALE, 0)
    in_range(f"{KEY}.DRW_EPOCH", node.DRW_EPOCH, -1)
    for name in ("CB_BETA", "DRW_BETA"):
        in_range(f"{KEY}.{name}", node[name], 0, 1 - 1e-9)
    one_of(f"{KEY}.SMOOTH_SHAPE", node.SMOOTH_SHAPE, SMOOTHING_SHAPES)


def _gcl(node: CfgNode, counts: Tensor, weighting: dict, scale: float) -> ClassificationLoss:
    return GCLLoss(counts, node.GCL_MARGIN, node.GCL_NOISE, scale, node.GCL_GAMMA, **weighting)


def _factors(node: CfgNode, counts: Tensor) -> Tensor:
    return smoothing_factors(
        counts, node.SMOOTH_HEAD, node.SMOOTH_TAIL, node.SMOOTH_SHAPE, node.SMOOTH_POWER
    )
