"""What code written for Dassl imports from its ``engine.trainer``."""

from __future__ import annotations

from typing import Any

from minidassl.engine.epochs import TrainerX, TrainerXU
from minidassl.engine.simple_trainer import SimpleTrainer
from minidassl.engine.trainer_base import TrainerBase
from minidassl.utils import AverageMeter, MetricMeter

__all__ = ["AverageMeter", "MetricMeter", "SimpleTrainer", "TrainerBase", "TrainerX", "TrainerXU"]


def __getattr__(name: str) -> Any:
    """``SummaryWriter``, which loads TensorBoard only when somebody asks for it."""
    if name != "SummaryWriter":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter
