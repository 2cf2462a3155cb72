"""The head that ``TRAINER.HEAD`` describes."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from yacs.config import CfgNode

from npt_plugin.heads.head import CosineHead, Head, LinearHead, TextHead
from npt_plugin.heads.initial import random_cosine_rows, random_linear_rows
from npt_plugin.system.options import in_range, one_of

HEADS = ("text", "cosine", "linear")
"""Values of ``TRAINER.HEAD.NAME``."""

INITS = ("text", "mean", "random")
"""Values of ``TRAINER.HEAD.INIT``."""


def check_head(node: CfgNode) -> None:
    """Refuse values of ``TRAINER.HEAD`` that are not allowed.

    Raises:
        UserError: Naming the key, its value and what is allowed.
    """
    one_of("TRAINER.HEAD.NAME", node.NAME, HEADS)
    one_of("TRAINER.HEAD.INIT", node.INIT, INITS)
    in_range("TRAINER.HEAD.SCALE", node.SCALE, 0)


def build_head(
    node: CfgNode,
    num_classes: int,
    dim: int,
    clip_scale: float,
    text_rows: Callable[[], Tensor],
    tau: float = 0.0,
) -> Head:
    """Build the head; rows that start from class means are random until the trainer sets them.

    Args:
        node: ``TRAINER.HEAD``.
        num_classes: K.
        dim: D, size of the features it will see.
        clip_scale: CLIP's own logit scale, used where ``SCALE`` is 0.
        text_rows: Gives text features (K, D) in the features' space; called only if needed.
        tau: Exponent of tau-normalisation at test time, for a linear head.

    Raises:
        UserError: If a key has a value that is not allowed.
    """
    check_head(node)
    scale = node.SCALE or clip_scale
    if node.NAME == "text":
        return TextHead(text_rows(), scale)
    random = random_cosine_rows if node.NAME == "cosine" else random_linear_rows
    rows = text_rows() if node.INIT == "text" else random(num_classes, dim)
    return CosineHead(rows, scale) if node.NAME == "cosine" else LinearHead(rows, tau)
