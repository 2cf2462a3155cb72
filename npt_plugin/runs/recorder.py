"""The record of a trainer's run from its start to its end, good or bad."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from npt_plugin.backbone.loading import backbone_name
from npt_plugin.errors import UserError
from npt_plugin.runs.config_tree import config_as_dict, config_difference, config_hash
from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import Record, read_record, write_record
from npt_plugin.runs.versions import versions
from npt_plugin.system import ranks
from npt_plugin.system.memory import peak_memory
from npt_plugin.system.signals import shielded


def describe_run(trainer: Any) -> Record:
    """The record of a run that has started.

    Args:
        trainer: A built ``PromptTrainer``.
    """
    cfg = trainer.cfg
    return Record(
        status="started",
        trainer=cfg.TRAINER.NAME,
        dataset=cfg.DATASET.NAME,
        classes=cfg.DATASET.SUBSAMPLE_CLASSES,
        backbone=backbone_name(cfg),
        backbone_file=getattr(trainer, "backbone_file", "") or None,
        shots=cfg.DATASET.NUM_SHOTS,
        seed=cfg.SEED,
        ratio=cfg.DATASET.IMBALANCE.RATIO,
        profile=cfg.DATASET.IMBALANCE.PROFILE,
        order=cfg.DATASET.IMBALANCE.ORDER,
        epochs=cfg.OPTIM.MAX_EPOCH,
        steps=_steps(trainer),
        precision=trainer.precision.name,
        selection=cfg.TEST.FINAL_MODEL,
        model_dir=getattr(trainer, "model_dir", ""),
        averaged=list(getattr(trainer, "averaged_runs", ())) or None,
        tested_epoch=getattr(trainer, "tested_epoch", cfg.OPTIM.MAX_EPOCH),
        class_names=list(trainer.classnames),
        class_counts=trainer.class_counts.tolist(),
        trainable_parameters=sum(p.numel() for p in trainer.model.learned().values()),
        config_hash=config_hash(cfg),
        config=config_as_dict(cfg),
        stacked=most if (most := getattr(trainer, "most_stacked", 1)) > 1 else None,
        diverged=found[0] if (found := trainer.divergence()) else None,
        working_dir=os.getcwd(),
        versions=versions(),
    )


def _steps(trainer: Any) -> int | None:
    """Optimiser steps of the whole run; None where it only tests."""
    cfg = trainer.cfg
    if getattr(trainer, "model_dir", ""):
        return None
    if trainer.optim is None:
        return 0
    loader = trainer.train_loader_x
    steps: int = getattr(loader, "steps", 0) or len(loader) * cfg.OPTIM.MAX_EPOCH
    return steps


def refuse_other_results(cfg: Any) -> None:
    """Keep the results of a completed run with another config from being overwritten.

    Raises:
        UserError: Naming the keys that differ.
    """
    path = Path(cfg.OUTPUT_DIR) / RESULTS
    if not cfg.OUTPUT_DIR or not path.is_file():
        return
    try:
        record = read_record(path)
    except UserError as error:
        print(f"{error} The run is done again.")
        return
    if record.status != "completed":
        return
    old = record.config
    differing = config_difference(old, config_as_dict(cfg))
    if differing:
        raise UserError(
            f"{cfg.OUTPUT_DIR} holds the results of a run with another config "
            f"({'; '.join(differing)}): give another --output-dir, or delete that folder."
        )


@contextmanager
def recorded(trainer: Any) -> Iterator[None]:
    """Write ``started``; if what is done inside ends badly, ``failed`` and why.

    ``completed`` is written by the evaluation, with the results. A folder that stays at
    ``started`` belongs to a run that is still going on or was killed.
    """
    if not trainer.output_dir or not ranks.writes():
        yield
        return
    head, begin = describe_run(trainer), time.monotonic()
    write_record(trainer.output_dir, head)
    try:
        yield
    except BaseException as error:
        with shielded():  # a second Ctrl-C would leave a run that seems to go on
            _write_failure(trainer, head, error, time.monotonic() - begin)
        raise


def _write_failure(trainer: Any, head: Record, error: BaseException, seconds: float) -> None:
    text = str(error).strip() or type(error).__name__
    told = isinstance(error, (UserError, ranks.Lost))
    end = replace(
        head,
        status="failed",
        reason=text if told else f"{type(error).__name__}: {text}",
        seconds={"total": round(seconds, 3)},
        peak_memory=peak_memory(),
        history=getattr(trainer, "history", []),
    )
    try:
        write_record(trainer.output_dir, end)
    except UserError:
        pass  # a full disk: the error itself says it
