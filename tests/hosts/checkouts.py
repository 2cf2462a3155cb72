"""Public checkouts that NPT has to hold in: where they lie, what they need, what they lack."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Checkout:
    """One trainer of one public checkout, made small.

    Attributes:
        folder: Below ``NPT_HOSTS``, the folder of ``train.py``.
        trainer: Its own name for the trainer.
        file: Config of the trainer, below ``configs/trainers``, without the ending.
        keys: Config keys that make it small, on top of ``host_world.options``.
        weights: Which of the world's CLIPs it loads.
        brings: Whether its checkout brings a Dassl.
        minidassl: Whether it runs on our stand-in.
        lacks: Modules that it imports and does not bring, and what stands in for each.
        borrows: Files that its commits left out and another checkout has: {file: where}.
        mends: What its commit broke, mended in the copy: {file: (old, new)}.
        weight_files: CLIPs that it looks for in its own folder: {file: which of the world's}.
        teacher: Checkpoint of a teacher that it looks for in its own folder.
        first: Trainer and config file of a run that it starts from, in its folder "first".
        refused: What our message says where NPT cannot be put on it.
        scores: How ``TRAINER.NPT.AT logits`` ends: "runs", or what our message says; "": not tried.
        last_pass: Which backward pass of a step its classification loss is in.
        forgets: What of an interrupted run its own checkpoints leave out; "": nothing.
        labels_in: Its method that returns the labels of the rows it encodes; "": the batch's own.
    """

    folder: str
    trainer: str
    file: str
    keys: dict[str, Any] = field(default_factory=dict)
    weights: str = "small"
    brings: bool = False
    minidassl: bool = True
    lacks: dict[str, str] = field(default_factory=dict)
    borrows: dict[str, str] = field(default_factory=dict)
    mends: dict[str, tuple[str, str]] = field(default_factory=dict)
    weight_files: dict[str, str] = field(default_factory=dict)
    teacher: str = ""
    first: tuple[str, str] = ("", "")
    refused: str = ""
    scores: str = ""
    last_pass: int = 0
    forgets: str = ""
    labels_in: str = ""

    @property
    def name(self) -> str:
        """A word for a test's name."""
        return f"{self.folder.split('/')[0]}-{self.trainer}"


NOTHING = "__all__ = []\n"
PROFILE = """
import torch

def profile(model, inputs):
    was = model.training
    with torch.no_grad():
        model.eval()(*inputs)
    model.train(was)
    return 0.0, 0.0
"""
"""What thop does to a model, which its host runs in each training step, without the counting."""

_COOP = {"TRAINER__COOP__PREC": "fp32", "TRAINER__COOP__N_CTX": 4}
_COCOOP = {"TRAINER__COCOOP__PREC": "fp32", "DATALOADER__TRAIN_X__BATCH_SIZE": 2}
_MAPLE = {"TRAINER__MAPLE__PREC": "fp32", "TRAINER__MAPLE__PROMPT_DEPTH": 2}

_DETAILS = {"trainer": "CoOp", "vision_depth": 0, "language_depth": 0}
_DETAILS |= {"vision_ctx": 0, "language_ctx": 0}  # what DPC's CoOp gives its clip

CHECKOUTS = (
    Checkout("CoOp", "CoOp", "CoOp/vit_b16", _COOP),
    Checkout("CoOp", "CoCoOp", "CoCoOp/vit_b16_c4_ep10_batch1_ctxv1", _COCOOP),
    Checkout(
        "multimodal-prompt-learning",
        "MaPLe",
        "MaPLe/vit_b16_c2_ep5_batch4_2ctx",
        _MAPLE,
        weights="wide",
    ),
    Checkout(
        "PromptSRC",
        "PromptSRC",
        "PromptSRC/vit_b16_c2_ep20_batch4_4+4ctx",
        {
            "TRAINER__PROMPTSRC__PREC": "fp32",
            "TRAINER__PROMPTSRC__PROMPT_DEPTH_TEXT": 2,
            "TRAINER__PROMPTSRC__PROMPT_DEPTH_VISION": 2,
        },
        forgets="the mean over epochs that its last epoch ends with",
    ),
    Checkout(
        "KgCoOp/KgCoOp", "KgCoOp", "KgCoOp/vit_b16_ep100_ctxv1", _COOP, weights="wide", brings=True
    ),
    Checkout(
        "Prompt-align/ProGrad.public",
        "ProGrad",
        "ProGrad/rn50",
        {**_COOP, "TRAINER__COOP__N_CTX": 16, "LOSS__NAME": "prograd"},
        brings=True,
        minidassl=False,
        last_pass=1,
    ),
    Checkout(
        "DePT",
        "ExtrasLinearProbeCoOp",
        "ExtrasLinearProbeCoOp/vit_b16_ep10_bs4_lr35",
        _COOP,
        lacks={"plotnine": NOTHING},
    ),
    Checkout(
        "Textual-based_Class-aware_prompt_tuning",
        "TCP",
        "TCP/vit_b16_ep100_ctxv1",
        _COOP,
        weights="deep",
    ),
    Checkout(
        "CoPrompt",
        "CoPrompt",
        "coprompt",
        {"TRAINER__CoPrompt__PREC": "fp32"},
        weights="wide",
        scores="runs",
    ),
    Checkout(
        "ATPrompt",
        "CoOp_ATP",
        "CoOp/vit_b16",
        {
            **_COOP,
            "TRAINER__ATPROMPT__USE_ATPROMPT": True,
            "TRAINER__ATPROMPT__N_ATT1": 2,
            "TRAINER__ATPROMPT__N_ATT2": 2,
        },
        brings=True,
    ),
    Checkout(
        "Multi-Modal-Adapter",
        "MultiModalAdapter",
        "MultiModalAdapter/vit_b16_ep5",
        {
            "TRAINER__MMADAPTER__PREC": "fp32",
            "TRAINER__MMADAPTER__ADAPTER_START": 1,
            "TRAINER__MMADAPTER__ADAPTER_END": 2,
        },
        scores="runs",
    ),
    Checkout(
        "DeKg", "DeKg", "DeKg/vit_b16_ep100_ctxv1", _COOP, weights="wide", lacks={"thop": PROFILE}
    ),
    Checkout(
        "DeKg",
        "DeKg_TCP",
        "DeKg_TCP/vit_b16_ep100_ctxv1",
        _COOP,
        weights="deep",
        lacks={"thop": PROFILE},
    ),
    Checkout(
        "DPC",
        "StackSPLE_CoOp",
        "SPLE/CoOp/vit_b16_ep20",
        {
            **_COOP,
            "DATALOADER__TRAIN_X__BATCH_SIZE": 1,  # it needs more classes than a batch has
            "SPLE__INFER_TOPK": 2,
            "SPLE__BACK_CKPT_PATH": "{place}/first",
            "SPLE__BACK_CKPT_EPOCH": 3,
            "SPLE__PIC_LIB": "{world}/pictures.json",
        },
        weights="large",
        brings=True,
        minidassl=False,
        borrows={
            "trainers/base.py": "DePT/trainers/base.py",
            "trainers/optim.py": "DePT/trainers/optim.py",
            "trainers/imagenet_templates.py": "ATPrompt/trainers/imagenet_templates.py",
            "utils/logger.py": "DePT/utils/logger.py",
        },
        mends={
            "trainers/sple_coop.py": ("model.state_dict())", f"model.state_dict(), {_DETAILS})")
        },
        first=("CoOp", "CoOp/vit_b16"),
        labels_in="parse_sple_batch_train",
    ),
    Checkout(
        "PromptKD",
        "PromptKD",
        "PromptKD/vit_b16_c2_ep20_batch8_4+4ctx",
        {"TRAINER__PROMPTKD__PREC": "fp32"},
        weights="wide",
        brings=True,
        weight_files={"clip/ViT-B-16.pt": "wide", "clip/ViT-L-14.pt": "teacher"},
        teacher="teacher_model/OxfordPets/VLPromptLearner/model-best.pth.tar",
        refused="trains has no text_encoder",
        scores="no cross_entropy or nll_loss had a gradient to class scores",
    ),
    Checkout(
        "MMRL",
        "MMRL",
        "MMRL/vit_b16",
        {"TRAINER__MMRL__PREC": "fp32", "TRAINER__MMRL__REP_LAYERS": "[1, 2]", "TASK": "B2N"},
    ),
)
