"""Logits of every test image among the names of all classes, without looking at an image again.

A run on the base classes keeps its predictions, and the test on the new classes has just made its
own. What is missing of the whole table are base images among new names and new images among base
names. Both take image features that are there already; the text tower sees the base names once (of
a method whose text follows each image, once an image). Several processes share this work.
"""

from __future__ import annotations

import contextlib
import io
import math
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from npt_plugin.backbone.kept import prepared_clip
from npt_plugin.engine.distributed import joined, largest
from npt_plugin.errors import UserError
from npt_plugin.evaluation.groups import ShotGroups
from npt_plugin.evaluation.open_world import open_world_metrics
from npt_plugin.evaluation.posthoc import posthoc_adjust
from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.predictions import Predictions
from npt_plugin.runs.record import Record, read_record
from npt_plugin.system import ranks
from npt_plugin.system.random_state import rng_state, set_rng_state


class NewTest(NamedTuple):
    """What a test on the new classes has collected.

    Attributes:
        logits: (N, K_new), scaled.
        labels: (N,).
        features: (N, D) of the images, as a classifier takes them.
    """

    logits: Tensor
    labels: Tensor
    features: Tensor


def open_world(trainer: Any, test: NewTest) -> dict[str, Any] | None:
    """Measures of base and new classes together, after a test on the new ones.

    The random state and the trainer's own model stay as they are.

    Args:
        trainer: A ``PromptTrainer`` in eval mode, its classes the new ones; ``trained_in`` is the
            folder of the run on the base classes.
        test: What it has collected.

    Returns:
        See :func:`~npt_plugin.evaluation.open_world.open_world_metrics`; None, after a line on
        the reason, where they cannot be told, and in processes that do not write.
    """
    run, reason, state = None, "", rng_state()
    try:
        run = BaseRun.of(trainer)
    except UserError as error:
        reason = str(error)
    finally:
        set_rng_state(state)
    lacking = largest(int(run is None))  # all take part, or none
    if run is None or lacking:
        reason = reason or "Not every process of this run can read the run on the base classes."
        print(f"Base and new classes together: left out. {reason}")
        return None
    logits, labels = all_logits(trainer, run, test)
    if not ranks.writes():
        return None
    counts = run.record.class_counts or []
    limits = run.record.thresholds
    groups = ShotGroups(**limits) if limits else ShotGroups.for_counts(counts)
    found = open_world_metrics(logits, labels, counts, groups)
    for name in ("joint", "joint_base", "joint_new", "auroc", "openworld_auc", "new_taken"):
        value = found[name]
        print(f"* {name}: " + ("-" if value is None else f"{value:.1f}%"))
    return found


class BaseRun(NamedTuple):
    """The run on the base classes.

    Attributes:
        record: Of the run.
        predictions: Its predictions; of large sets they are in half precision.
        model: The tested trainer's, on the base names.
    """

    record: Record
    predictions: Predictions
    model: Any

    @classmethod
    def of(cls, trainer: Any) -> BaseRun:
        """The one in the folder ``trainer.trained_in``.

        Raises:
            UserError: If there is none, its images were seen by other weights, or what was learned
                takes no other class names.
        """
        record, predictions = _base_run(trainer)
        return cls(record, predictions, _with_names(trainer, predictions.class_names))


def all_logits(trainer: Any, run: BaseRun, test: NewTest) -> tuple[Tensor, Tensor]:
    """Logits (N_base + N_new, K_base + K_new), base first, and labels, on the CPU.

    Post-hoc adjustment takes the training prior out of the base columns; new names have none. It is
    measured from equal frequencies, so that balanced data are not changed.

    Args:
        trainer, test: As for :func:`open_world`.
        run: The one on the base classes.
    """
    base = run.predictions
    n_base, counts = len(base.class_names), torch.tensor(run.record.class_counts)
    upper = _classify(trainer, trainer.model, base.image_features)  # base images, new names
    lower = _classify(trainer, run.model, test.features)  # new images, base names
    tau = trainer.cfg.TRAINER.IMBALANCE_LOSS.POSTHOC_TAU
    diagonal = base.logits.float()
    if tau:
        lower = posthoc_adjust(lower, counts, tau) - tau * math.log(n_base)
        diagonal = diagonal - tau * math.log(n_base)  # its prior was taken out by its own test
    rows = [torch.cat([diagonal, upper], dim=1), torch.cat([lower, test.logits.float()], dim=1)]
    return torch.cat(rows), torch.cat([base.labels, test.labels + n_base])


def _base_run(trainer: Any) -> tuple[Record, Predictions]:
    """The run on the base classes: its record and its predictions.

    Raises:
        UserError: If there is none, or its images were seen by other weights.
    """
    folder = Path(getattr(trainer, "trained_in", "") or "")
    if not (folder / RESULTS).is_file():
        raise UserError("The folder of the run on the base classes is not known.")
    record = read_record(folder / RESULTS)
    cfg = trainer.cfg
    found = (record.status, record.classes, record.dataset)
    if found != ("completed", "base", cfg.DATASET.NAME) or not record.class_counts:
        raise UserError(
            f"{folder} holds no completed run on the base classes of {cfg.DATASET.NAME}."
        )
    same = record.tested_epoch == getattr(trainer, "tested_epoch", cfg.OPTIM.MAX_EPOCH)
    if trainer.model.learns_image_side and (getattr(trainer, "averaged_runs", None) or not same):
        raise UserError(
            f"This method learns the image side, and {folder} was tested with other weights."
        )
    return record, Predictions.load(folder)


def _with_names(trainer: Any, names: list[str]) -> Any:
    """The trainer's model as it is, on other class names."""
    own = trainer.model
    quiet = contextlib.redirect_stdout(io.StringIO())  # it says again where it starts
    with quiet, torch.inference_mode(False), torch.no_grad():
        clip_model = prepared_clip(trainer.cfg, trainer.precision.tower_dtype, draws=False)
        model = trainer.model_class(trainer.cfg, names, clip_model)
    with trainer.tested_weights():
        model.load_checkpoint_state(own.checkpoint_state(), "what was learned")
    return model.to(trainer.device).eval()


def _classify(trainer: Any, model: Any, features: Tensor) -> Tensor:
    """Logits (N, K) of image features (N, D), on the CPU; several processes take a part each."""
    size, n = trainer.cfg.DATALOADER.TEST.BATCH_SIZE, len(features)
    own = features[ranks.share(n)]
    with trainer.precision.context(trainer.device), trainer.tested_weights():
        text = None if model.text_depends_on_image else model.text_features()
        parts = own.to(trainer.device, trainer.precision.tower_dtype).split(size)
        rows = torch.cat([model.classify(part, text).logits.float().cpu() for part in parts])
    return joined(rows, ranks.shares(n))
