"""Shared by the tests of classification losses: one batch, a builder, and plain loops."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from npt_plugin.config import defaults
from npt_plugin.losses import CLASSIFICATION_LOSSES, build_classification_loss
from npt_plugin.losses.classification import ClassificationLoss

COUNTS = [16, 9, 4, 1]
LABELS = torch.tensor([0, 0, 1, 0, 3])  # class 2 absent
NAMES = sorted(CLASSIFICATION_LOSSES)
DRW_ABLE = [n for n in NAMES if n not in ("cbw", "cb", "grw")]


def build(
    name: str,
    counts: list[int] = COUNTS,
    seed: int = 0,
    head_scale: float | None = None,
    **keys: object,
) -> ClassificationLoss:
    """The loss of that name; ``keys`` change the defaults of ``TRAINER.IMBALANCE_LOSS``."""
    cfg = defaults()
    cfg.TRAINER.IMBALANCE_LOSS.NAME = name
    cfg.SEED = seed
    for key, value in keys.items():
        assert key in cfg.TRAINER.IMBALANCE_LOSS
        cfg.TRAINER.IMBALANCE_LOSS[key] = value
    return build_classification_loss(cfg, torch.tensor(counts), head_scale)


def logits(
    seed: int = 0, k: int = 4, scale: float = 3.0, dtype: torch.dtype = torch.float64
) -> Tensor:
    """(5, k), one row for each of ``LABELS``."""
    g = torch.Generator().manual_seed(seed)
    return (scale * torch.randn(len(LABELS), k, generator=g)).to(dtype)


def rows_of(z: Tensor) -> list[tuple[list[float], int]]:
    """Each row of logits with its label, in plain Python numbers."""
    return list(zip(z.double().tolist(), LABELS.tolist(), strict=True))


def ce(row: list[float], y: int) -> float:
    """-log softmax(row)[y] in plain Python."""
    top = max(row)
    return math.log(sum(math.exp(z - top) for z in row)) + top - row[y]
