"""The finished first stage that a second stage stands on: opened, checked, frozen."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from npt_plugin.backbone.interface import Backbone
from npt_plugin.errors import UserError
from npt_plugin.runs.folder import RunFolder
from npt_plugin.trainers.restore import restore_model

KEY = "TRAINER.TWO_STAGE.RUN"


def open_first_stage(cfg: Any) -> RunFolder:
    """The run that ``TRAINER.TWO_STAGE.RUN`` names.

    Args:
        cfg: The second stage's config.

    Raises:
        UserError: If the key is empty, or its folder holds no finished first stage of the same
            backbone.
    """
    folder = cfg.TRAINER.TWO_STAGE.RUN
    if not folder:
        raise UserError(f"{KEY} is empty: give the output folder of the finished first stage.")
    run = RunFolder.open(folder)
    status, name = run.record.status, run.record.trainer
    if status != "completed":
        raise UserError(f"{KEY}: the run in {folder} is {status}, not completed: finish it first.")
    if name == cfg.TRAINER.NAME:
        raise UserError(
            f"{KEY}: the run in {folder} is a second stage itself: give its first stage."
        )
    _check_backbone(cfg, run)
    return run


def load_first_stage(
    cfg: Any, classnames: Sequence[str], clip_model: Backbone
) -> tuple[Any, Tensor]:
    """Stage one with what it has learned, frozen, and the digest of that.

    Args:
        cfg: The second stage's config.
        classnames: Classes of the second stage.
        clip_model: CLIP in the second stage's precision.

    Returns:
        A ``PromptedCLIP`` without trainable parameters, and (32,) uint8.

    Raises:
        UserError: If stage one had other classes, or what it learned is absent.
    """
    run = open_first_stage(cfg)
    if list(classnames) != run.class_names:
        raise UserError(
            f"The first stage in {run.path} has the classes {', '.join(run.class_names[:3])}, ..., "
            f"not {', '.join(list(classnames)[:3])}, ...: a second stage keeps to the classes it "
            "was trained on."
        )
    own = run.config(["TRAINER.IMBALANCE_LOSS.TAU_NORM", 0.0])  # stage two corrects, not both
    own.freeze()
    model = restore_model(run, own, clip_model, classnames)
    digest = digest_of(model.checkpoint_state())
    return model.requires_grad_(False).eval(), digest


def digest_of(state: Mapping[str, Tensor]) -> Tensor:
    """SHA-256 (32,) uint8 over names and bytes of learned tensors."""
    digest = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return torch.frombuffer(bytearray(digest.digest()), dtype=torch.uint8)


def _check_backbone(cfg: Any, run: RunFolder) -> None:
    theirs, ours = (_backbone(c.MODEL) for c in (run.config(), cfg))
    if theirs != ours:
        raise UserError(
            f"{KEY}: the run in {run.path} is on {theirs}, this one on {ours}: set "
            "MODEL.BACKBONE.NAME and MODEL.CLIP_WEIGHTS as they are there."
        )


def _backbone(node: Any) -> str:
    return os.path.realpath(node.CLIP_WEIGHTS) if node.CLIP_WEIGHTS else node.BACKBONE.NAME
