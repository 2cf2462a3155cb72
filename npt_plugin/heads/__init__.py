"""Classifier heads and second-stage corrections on frozen features."""

from npt_plugin.heads.two_stage import TWO_STAGE, DisAlign, LearnableScaling, Marc, Retraining

__all__ = ["TWO_STAGE", "DisAlign", "LearnableScaling", "Marc", "Retraining"]
