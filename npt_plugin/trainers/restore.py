"""A finished run's model again: its CLIP with what the run has learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from yacs.config import CfgNode

from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.loading import load_clip_of
from npt_plugin.backbone.precision import resolve_precision
from npt_plugin.engine.framework import TRAINER_REGISTRY
from npt_plugin.errors import UserError
from npt_plugin.runs.folder import RunFolder
from npt_plugin.runs.layout import checkpoint_file
from npt_plugin.trainers.checkpoints import load_into
from npt_plugin.trainers.run_average import average_runs


def load_model(
    run: RunFolder,
    class_names: Sequence[str] | None = None,
    device: str | None = None,
    average: Sequence[RunFolder] = (),
) -> tuple[Any, CfgNode, torch.device, Any]:
    """The run's CLIP with its learned prompts.

    Args:
        run: The run.
        class_names: Other classes than the run's; None: its own.
        device: Torch device; None: CUDA where there is one.
        average: Runs of other seeds; the model then has the mean of what all have learned.

    Returns:
        Model in eval mode, frozen config, device, precision.

    Raises:
        UserError: If prompts or weights are absent, or do not fit the class names.
    """
    cfg = run.config()
    cfg.freeze()
    place = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    precision = resolve_precision(getattr(cfg.TRAINER, model_class_of(cfg).prec_node).PREC, place)
    clip_model = load_clip_of(cfg)
    clip_model.cast(precision.tower_dtype)
    model = restore_model(run, cfg, clip_model, class_names or run.class_names)
    if average:
        average_runs(model, [run, *average])
    return model.to(place).eval().requires_grad_(False), cfg, place, precision


def restore_model(
    run: RunFolder, cfg: CfgNode, clip_model: Backbone, class_names: Sequence[str]
) -> Any:
    """A run's ``PromptedCLIP`` on a CLIP that is there already, with what the run has learned.

    Args:
        run: The run.
        cfg: Its config.
        clip_model: CLIP of the run's backbone, in the precision wanted.
        class_names: The classes.

    Raises:
        UserError: If its checkpoint is absent or does not fit the class names.
    """
    model_class = model_class_of(cfg)
    model = model_class(cfg, list(class_names), clip_model)
    if model.learned():
        directory, epoch = run.checkpoint(model_class)
        load_into(model, checkpoint_file(directory, model_class.checkpoint_name, epoch))
    return model


def model_class_of(cfg: CfgNode) -> Any:
    """The ``PromptedCLIP`` class of a config's trainer.

    Raises:
        UserError: If the trainer is a host's own.
    """
    model_class = getattr(TRAINER_REGISTRY.get(cfg.TRAINER.NAME), "model_class", None)
    if model_class is None:
        raise UserError(f"{cfg.TRAINER.NAME} is a host's own trainer: only its own code loads it.")
    return model_class
