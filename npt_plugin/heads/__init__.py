"""Classifier heads, the decoder before them, and second-stage corrections on frozen features."""

from npt_plugin.heads.build import HEADS, build_head
from npt_plugin.heads.decoder import Decoder
from npt_plugin.heads.head import CosineHead, Head, LinearHead, TextHead
from npt_plugin.heads.second_stage import TWO_STAGE, DisAlign, LearnableScaling, Marc, Retraining

__all__ = [
    "HEADS",
    "TWO_STAGE",
    "CosineHead",
    "Decoder",
    "DisAlign",
    "Head",
    "LearnableScaling",
    "LinearHead",
    "Marc",
    "Retraining",
    "TextHead",
    "build_head",
]
