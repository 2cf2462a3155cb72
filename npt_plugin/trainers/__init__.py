"""Trainers: how each method makes its prompts or its head; everything else is in ``base.py``."""

from npt_plugin.trainers.base import PromptTrainer
from npt_plugin.trainers.candle import Candle
from npt_plugin.trainers.cocoop import CoCoOp
from npt_plugin.trainers.coop import CoOp
from npt_plugin.trainers.decoder import Decoder
from npt_plugin.trainers.fine_tune import FineTune
from npt_plugin.trainers.gnm_pt import GNM_PT
from npt_plugin.trainers.ivlp import IVLP
from npt_plugin.trainers.kgcoop import KgCoOp
from npt_plugin.trainers.linear_probe import LinearProbe
from npt_plugin.trainers.maple import MaPLe
from npt_plugin.trainers.npt import (
    NPT_IVLP,
    NPT_VPT,
    NPT_Candle,
    NPT_CoCoOp,
    NPT_CoOp,
    NPT_FineTune,
    NPT_KgCoOp,
    NPT_MaPLe,
    NPT_ProGrad,
    NPT_PromptSRC,
)
from npt_plugin.trainers.prograd import ProGrad
from npt_plugin.trainers.promptsrc import PromptSRC
from npt_plugin.trainers.two_stage import TwoStage
from npt_plugin.trainers.vpt import VPT
from npt_plugin.trainers.zeroshot import ZeroshotCLIP

BASE_TRAINERS: dict[str, type[PromptTrainer]] = {
    c.__name__: c
    for c in (
        *(ZeroshotCLIP, CoOp, CoCoOp, MaPLe, VPT, IVLP, KgCoOp, ProGrad, PromptSRC, Candle),
        *(LinearProbe, Decoder, GNM_PT, TwoStage, FineTune),
    )
}
"""Published methods; never registered inside a host, which has its own."""

NPT_TRAINERS: dict[str, type[PromptTrainer]] = {
    c.__name__: c
    for c in (
        *(NPT_CoOp, NPT_CoCoOp, NPT_MaPLe, NPT_VPT, NPT_IVLP),
        *(NPT_KgCoOp, NPT_ProGrad, NPT_PromptSRC, NPT_Candle, NPT_FineTune),
    )
}
"""Ours; the names no host uses."""

__all__ = ["BASE_TRAINERS", "NPT_TRAINERS", "PromptTrainer"]
