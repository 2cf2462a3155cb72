"""Optimisers and learning-rate schedules by config."""

from minidassl.optim.lr_scheduler import build_lr_scheduler
from minidassl.optim.optimizer import build_optimizer

__all__ = ["build_lr_scheduler", "build_optimizer"]
