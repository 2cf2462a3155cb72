"""All trainer classes under the module path that code written for Dassl imports them from."""

from minidassl.engine.epochs import TrainerX, TrainerXU
from minidassl.engine.simple_trainer import SimpleTrainer
from minidassl.engine.trainer_base import TrainerBase

__all__ = ["SimpleTrainer", "TrainerBase", "TrainerX", "TrainerXU"]
