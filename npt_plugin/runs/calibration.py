"""The temperature of a run: fitted on its validation images, kept in its folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from yacs.config import CfgNode

from npt_plugin.engine.framework import DataManager
from npt_plugin.errors import UserError
from npt_plugin.evaluation.calibration import HIGHEST, LOWEST, fit_temperature
from npt_plugin.evaluation.posthoc import posthoc_adjust
from npt_plugin.runs.folder import RunFolder
from npt_plugin.system.files import write_json

CALIBRATION = "calibration.json"
"""File in a run's folder that keeps the temperature."""


def run_temperature(
    run: RunFolder, load: Callable[[], tuple[Any, Any, torch.device, Any]]
) -> float:
    """The temperature kept in the run's folder, or fitted now and kept.

    It is always that of the run's own classes.

    Args:
        run: The run.
        load: Loads the run's model; called only to fit.

    Raises:
        UserError: If there are no validation images that are not test images too, or they are of
            other classes than the run's.
    """
    path = run.path / CALIBRATION
    try:
        value = json.loads(path.read_text(encoding="utf-8"))["temperature"]
        if isinstance(value, float) and LOWEST / 2 < value < 2 * HIGHEST:
            return value
    except (OSError, ValueError, KeyError, TypeError):
        pass  # absent or damaged: fit it
    logits, labels = _validation_logits(run, *load())
    value = fit_temperature(logits, labels)
    write_json(path, {"temperature": value, "split": "val", "images": len(labels)})
    return value


@torch.no_grad()
def _validation_logits(
    run: RunFolder, model: Any, cfg: CfgNode, device: torch.device, precision: Any
) -> tuple[Tensor, Tensor]:
    """Logits (N, K) as the run uses them, and labels (N,), of the validation images."""
    manager = DataManager(cfg)
    dataset = manager.dataset
    run.check_classes(dataset.classnames)
    test = {item.impath for item in dataset.test}
    if not dataset.val or any(item.impath in test for item in dataset.val):
        raise UserError(
            f"{cfg.DATASET.NAME} has no validation images apart from its test images: leave "
            "calibration off."
        )
    rows, labels = [], []
    with precision.context(device):
        text = None if model.text_depends_on_image else model.text_features()
        for batch in manager.val_loader:
            rows.append(model.encode(batch["img"].to(device), text).logits.float().cpu())
            labels.append(batch["label"])
    logits, counts = torch.cat(rows), run.training_counts()
    if counts is not None:  # the temperature is of the logits that are used
        logits = posthoc_adjust(logits, counts, cfg.TRAINER.IMBALANCE_LOSS.POSTHOC_TAU)
    return logits, torch.cat(labels)
