"""Training and testing loops."""

from minidassl.engine.build import TRAINER_REGISTRY, build_trainer
from minidassl.engine.trainer import SimpleTrainer, TrainerBase, TrainerX, TrainerXU

__all__ = [
    "TRAINER_REGISTRY",
    "SimpleTrainer",
    "TrainerBase",
    "TrainerX",
    "TrainerXU",
    "build_trainer",
]
