"""Every classification loss by name, and the builder that reads ``TRAINER.IMBALANCE_LOSS``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor
from yacs.config import CfgNode

from npt_plugin.errors import UserError
from npt_plugin.losses.adjustment import LogitAdjustedLoss
from npt_plugin.losses.classification import (
    ClassificationLoss,
    CrossEntropyLoss,
    FocalLoss,
    Weighting,
)
from npt_plugin.losses.gcl import GCLLoss
from npt_plugin.losses.lade import LADELoss
from npt_plugin.losses.margin import LDAMLoss
from npt_plugin.losses.sigmoid import SigmoidLoss
from npt_plugin.losses.smoothing import SMOOTHING_SHAPES, LabelAwareSmoothingLoss, smoothing_factors
from npt_plugin.losses.weighting import (
    effective_number_weights,
    inverse_frequency_weights,
    power_weights,
)
from npt_plugin.optim.noise import noise_seed
from npt_plugin.system.options import check_counts, in_range, one_of

KEY = "TRAINER.IMBALANCE_LOSS"


@dataclass(frozen=True)
class Asked:
    """What a loss can be built from.

    Attributes:
        node: ``TRAINER.IMBALANCE_LOSS``.
        counts: (K,), training images per class.
        drw: Deferred re-weighting.
        scale: What turns margins and noise into logits.
        seed: Seed of the noise; called only where there is noise, as it may draw a fresh one.
    """

    node: CfgNode
    counts: Tensor
    drw: Weighting
    scale: float
    seed: Callable[[], int]


class Loss(NamedTuple):
    """One row of the table of losses.

    Attributes:
        meaning: What it is, in a line.
        build: Makes it.
    """

    meaning: str
    build: Callable[[Asked], ClassificationLoss]


CLASSIFICATION_LOSSES = {
    "ce": Loss("cross-entropy", lambda a: CrossEntropyLoss(a.counts, a.drw)),
    "focal": Loss(
        "focal loss: easy images count less",
        lambda a: FocalLoss(a.counts, a.node.FOCAL_GAMMA, a.drw),
    ),
    "cbw": Loss(
        "cross-entropy weighted by 1 / n_k",
        lambda a: _weighted(a, inverse_frequency_weights(a.counts)),
    ),
    "cb": Loss(
        "class-balanced: weighted by 1 / the effective number of images",
        lambda a: _weighted(a, effective_number_weights(a.counts, a.node.CB_BETA)),
    ),
    "grw": Loss(
        "generalised re-weighting: weighted by a power of 1 / n_k",
        lambda a: _weighted(a, power_weights(a.counts, a.node.GRW_POWER)),
    ),
    "ldam": Loss(
        "margins that grow as n_k falls, after n_k to the minus 1/4",
        lambda a: LDAMLoss(a.counts, a.node.LDAM_MARGIN, a.scale, a.drw),
    ),
    "balanced_softmax": Loss(
        "cross-entropy of logits + log prior", lambda a: LogitAdjustedLoss(a.counts, 1.0, a.drw)
    ),
    "logit_adjustment": Loss(
        "cross-entropy of logits + TAU x log prior",
        lambda a: LogitAdjustedLoss(a.counts, a.node.TAU, a.drw),
    ),
    "gcl": Loss("Gaussian clouded logits: noise that grows as n_k falls", lambda a: _gcl(a)),
    "lade": Loss(
        "balanced softmax with a term that frees the logits of the prior",
        lambda a: LADELoss(a.counts, a.node.LADE_ALPHA, a.node.LADE_LAMBDA, a.drw),
    ),
    "sigmoid": Loss(
        "SigLIP's own: every class by itself, and the bias counts",
        lambda a: SigmoidLoss(a.counts, a.drw),
    ),
    "label_aware": Loss(
        "label smoothing, more for frequent classes",
        lambda a: LabelAwareSmoothingLoss(a.counts, _factors(a), a.drw),
    ),
}
"""The losses by their name in ``TRAINER.IMBALANCE_LOSS.NAME``."""

WEIGHTED_THROUGHOUT = ("cbw", "cb", "grw")
WITH_MARGINS = ("ldam", "gcl")


def build_classification_loss(
    cfg: CfgNode, class_counts: Tensor, head_scale: float | None = None, head_bias: float = 0.0
) -> ClassificationLoss:
    """The loss that ``TRAINER.IMBALANCE_LOSS`` describes.

    Margins and noise have the same size in logits on every head, ``LOGIT_SCALE`` times the key:
    it is logits that cross-entropy compares. Only ``LOGIT_SCALE`` 0 asks for cosines of the head.

    Args:
        cfg: A config with ``TRAINER.IMBALANCE_LOSS`` and, for seeded noise, ``SEED``.
        class_counts: (K,), training images per class; its device becomes the loss's.
        head_scale: s of the classifier whose logits are s x cosine; None: a linear one.
        head_bias: What is added to them.

    Returns:
        A module: ``loss(logits (B, K), labels (B,))`` is a scalar, ``loss.set_epoch(epoch)``
        drives deferred re-weighting. The name ``ce`` is ``F.cross_entropy`` bit for bit.

    Raises:
        UserError: If a key has a value that is not allowed.
        ValueError: If a class has no training image (names it).

    Example:
        >>> import torch
        >>> from npt_plugin.config import defaults
        >>> cfg = defaults()
        >>> cfg.TRAINER.IMBALANCE_LOSS.NAME = "balanced_softmax"
        >>> loss = build_classification_loss(cfg, torch.tensor([3, 1]))
        >>> round(loss(torch.zeros(1, 2), torch.tensor([1])).item(), 4)  # -log(1/4)
        1.3863
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
    if node.NAME == "sigmoid" and head_scale is not None and not head_bias:
        print(
            f"{KEY}.NAME sigmoid on logits without a bias, which SigLIP's have: every class begins "
            "as a match, and most of the loss is what it takes to undo that"
        )
    drw = Weighting(drw_epoch=node.DRW_EPOCH, drw_beta=node.DRW_BETA)
    scale = margin_scale(node, head_scale)
    asked = Asked(node, class_counts, drw, scale, lambda: noise_seed(cfg))
    loss = CLASSIFICATION_LOSSES[node.NAME].build(asked)
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
        return float(node.LOGIT_SCALE)
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


def _weighted(a: Asked, class_weights: Tensor) -> ClassificationLoss:
    return CrossEntropyLoss(a.counts, Weighting(class_weights))


def _gcl(a: Asked) -> ClassificationLoss:
    node = a.node
    sizes = (node.GCL_MARGIN, node.GCL_NOISE, a.scale, node.GCL_GAMMA)
    return GCLLoss(a.counts, *sizes, a.seed(), a.drw)


def _factors(a: Asked) -> Tensor:
    node = a.node
    shape = (node.SMOOTH_HEAD, node.SMOOTH_TAIL, node.SMOOTH_SHAPE, node.SMOOTH_POWER)
    return smoothing_factors(a.counts, *shape)
