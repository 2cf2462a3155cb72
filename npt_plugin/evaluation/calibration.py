"""One temperature for a run's probabilities, fitted on its validation images."""

from __future__ import annotations

import json
import math

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from npt_plugin.errors import UserError
from npt_plugin.evaluation.posthoc import posthoc_adjust
from npt_plugin.runs.folder import RunFolder, load_model
from npt_plugin.system.files import write_json

CALIBRATION = "calibration.json"
"""File in a run's folder that keeps the temperature."""

_LOWEST, _HIGHEST = 0.05, 20.0


def fit_temperature(logits: Tensor, labels: Tensor, steps: int = 60) -> float:
    """The temperature T that minimises the cross-entropy of ``logits / T``.

    Golden-section search over log T; the loss is convex in 1/T, so there is one minimum.

    Args:
        logits: (N, K).
        labels: (N,).
        steps: Halvings (by 0.618) of the interval 0.05 to 20.

    Source: Guo et al. 2017 (arXiv:1706.04599), section 4.2.
    """
    logits = logits.double()

    def loss(log_t: float) -> float:
        return float(cross_entropy(logits / math.exp(log_t), labels))

    low, high, golden = math.log(_LOWEST), math.log(_HIGHEST), (math.sqrt(5) - 1) / 2
    for _ in range(steps):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return math.exp((low + high) / 2)


def run_temperature(run: RunFolder, device: str | None = None) -> float:
    """The temperature kept in the run's folder, or fitted now, on the run's own classes, and kept.

    Args:
        run: The run.
        device: Torch device; None: CUDA where there is one.

    Raises:
        UserError: If there are no validation images that are not test images too, or they are of
            other classes than the run's.
    """
    path = run.path / CALIBRATION
    try:
        value = json.loads(path.read_text(encoding="utf-8"))["temperature"]
        if isinstance(value, float) and _LOWEST / 2 < value < 2 * _HIGHEST:
            return value
    except (OSError, ValueError, KeyError, TypeError):
        pass  # absent or damaged: fit it
    logits, labels = _validation_logits(run, device)
    value = fit_temperature(logits, labels)
    write_json(path, {"temperature": value, "split": "val", "images": len(labels)})
    return value


@torch.no_grad()
def _validation_logits(run: RunFolder, where: str | None) -> tuple[Tensor, Tensor]:
    from npt_plugin.engine.framework import DataManager

    model, cfg, device, precision = load_model(run, device=where)
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
