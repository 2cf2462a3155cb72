"""Evaluate a prompt trainer: text features once, Dassl's log lines, one record per run."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from npt_plugin.engine.distributed import copy_from_first, joined, summed
from npt_plugin.evaluation.groups import ShotGroups
from npt_plugin.evaluation.metrics import classification_metrics, per_class_accuracy
from npt_plugin.evaluation.posthoc import posthoc_adjust
from npt_plugin.geometry.metrics import nc_metrics
from npt_plugin.runs.config_tree import config_text
from npt_plugin.runs.known_features import with_known_features
from npt_plugin.runs.layout import CONFIG
from npt_plugin.runs.predictions import Predictions
from npt_plugin.runs.record import write_record
from npt_plugin.runs.recorder import describe_run
from npt_plugin.system import ranks
from npt_plugin.system.files import write_text
from npt_plugin.system.memory import peak_memory
from npt_plugin.system.progress import progress
from npt_plugin.system.random_state import rng_state, set_rng_state
from npt_plugin.trainers.all_names import NewTest, open_world
from npt_plugin.trainers.beside import beside, print_beside
from npt_plugin.trainers.shares import own_part


@torch.inference_mode()
def evaluate(trainer: Any, split: str | None = None) -> float:
    """Test a trainer on a split and write ``results.json`` (test split only).

    Args:
        trainer: A ``PromptTrainer``.
        split: ``"val"`` or ``"test"``; None: ``TEST.SPLIT``. Without a validation set: test.

    Returns:
        Accuracy in percent.
    """
    split = split or trainer.cfg.TEST.SPLIT
    if split == "val" and trainer.val_loader is not None:
        loader = trainer.val_loader
    else:
        split, loader = "test", trainer.test_loader
    trainer.set_model_mode("eval")
    copy_from_first(trainer.model.learned().values())  # the best model's, as one process read it
    trainer.evaluator.reset()
    print(f"Evaluate on the *{split}* set")
    started = time.time()
    judge = trainer.evaluator if ranks.writes() else None
    with trainer.tested_weights():
        logits, labels, features, text = collect_outputs(trainer, loader, judge)
    results = judge.evaluate() if judge else {}
    for name, value in results.items():
        trainer.write_scalar(f"{split}/{name}", value, trainer.epoch)
    seen = trainer.class_counts.tolist() if _trained_on(trainer) else None
    measure = partial(classification_metrics, train_counts=seen, groups=_groups(trainer))
    metrics = measure(logits, labels)
    _print_metrics(metrics)
    seconds = {"train": getattr(trainer, "train_seconds", 0.0), "test": time.time() - started}
    others = {}
    if split == "test":
        plain, collect = (logits, labels, features), partial(_again, trainer)
        others = beside(trainer, loader, collect, plain, measure)
        print_beside(others)
    keeps, together = split == "test" and bool(trainer.output_dir), None
    if keeps and not _trained_on(trainer):
        together = open_world(trainer, NewTest(logits, labels, features))
    if keeps and ranks.writes():
        metrics["nc"] = nc_metrics(features, labels, text, logits)
        metrics |= {"open_world": together} if together else {}
        per_class = per_class_accuracy(logits.argmax(1), labels, logits.shape[1])
        if trainer.cfg.TEST.SAVE_PREDICTIONS:
            seen_here = Predictions(logits, labels, features, text, list(trainer.classnames))
            seen_here.save(trainer.output_dir)
        _write(trainer, metrics, others, per_class, seconds)
    return metrics["accuracy"]


def _again(trainer: Any, loader: Any) -> tuple[Tensor, Tensor]:
    """Logits (N, K) and image features (N, D), on the CPU."""
    with trainer.tested_weights():
        logits, _, features, _ = collect_outputs(trainer, loader, None)
    return logits, features


@torch.inference_mode()
def collapse_now(trainer: Any) -> dict[str, float]:
    """NC metrics and accuracy on the test images, for curves; nothing is selected by them.

    Random states are left as they were, so a run with and without is the same run.

    Args:
        trainer: A ``PromptTrainer`` between two epochs.
    """
    state = rng_state()
    trainer.set_model_mode("eval")
    with trainer.tested_weights():
        logits, labels, features, text = collect_outputs(trainer, trainer.test_loader, None)
    set_rng_state(state)
    metrics = nc_metrics(features, labels, text, logits)
    metrics["accuracy"] = 100.0 * (logits.argmax(dim=1) == labels).double().mean().item()
    return metrics


def collect_outputs(trainer: Any, loader: Any, judge: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Logits (N, K), labels (N,), image features (N, D) and text features (K, D), on the CPU.

    Args:
        trainer: A ``PromptTrainer`` in eval mode.
        loader: Test batches; several processes look at a part each.
        judge: Dassl evaluator that sees every batch, or None.
    """
    if ranks.alone():
        return _collect(trainer, loader, judge)
    part, counts = own_part(loader)
    *own, text = _collect(trainer, part, None)
    logits, labels, features = (joined(rows, counts) for rows in own)
    if judge is not None:
        judge.process(logits, labels)
    if trainer.model.text_depends_on_image:
        text = summed(text * counts[ranks.rank()]) / sum(counts)
    return logits, labels, features, text


def _collect(trainer: Any, loader: Any, judge: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    model, rows, labels, features, texts = trainer.model, [], [], [], []
    counts = trainer.class_counts
    tau = trainer.cfg.TRAINER.IMBALANCE_LOSS.POSTHOC_TAU if _trained_on(trainer) else 0
    with trainer.precision.context(trainer.device):
        text = None if model.text_depends_on_image else model.text_features()  # (K, D), once
        for batch in progress(with_known_features(trainer, loader), desc="testing", leave=False):
            seen = trainer.on_device(batch)
            label = seen["label"]
            outputs = trainer.encode(seen, text)
            logits = outputs.logits.float()  # (B, K)
            if tau:
                logits = posthoc_adjust(logits, counts.to(logits.device), tau)
            if judge is not None:
                judge.process(logits, label)
            rows.append(logits.cpu())
            labels.append(label.cpu())
            features.append(outputs.image_features.float().cpu())
            if text is None:
                texts.append(outputs.text_features.float().sum(dim=0).cpu())  # (K, D)
    n = sum(map(len, labels))
    # Where every image has its own text features, the metrics look at their mean.
    mean_text = text.float().cpu() if text is not None else torch.stack(texts).sum(dim=0) / n
    return torch.cat(rows), torch.cat(labels), torch.cat(features), mean_text


def _trained_on(trainer: Any) -> bool:
    """Whether the classes tested are those trained on; new classes have no training prior."""
    return trainer.cfg.DATASET.SUBSAMPLE_CLASSES != "new"


def _groups(trainer: Any) -> ShotGroups:
    node = trainer.cfg.DATASET.IMBALANCE
    counts = trainer.class_counts.tolist()
    return ShotGroups.for_counts(counts, node.MANY_ABOVE, node.FEW_BELOW)


def _print_metrics(metrics: dict[str, Any]) -> None:
    for name in ("macro_accuracy", "many", "medium", "few", "worst_class", "ece"):
        value = metrics.get(name)
        print(f"* {name}: " + ("-" if value is None else f"{value:.1f}%"))


def _write(
    trainer: Any,
    metrics: dict[str, Any],
    others: dict[str, dict[str, Any]],
    per_class: list[float | None],
    seconds: dict[str, float],
) -> None:
    groups, counts = _groups(trainer), trainer.class_counts.tolist()
    record = replace(
        describe_run(trainer),
        status="completed",
        metrics=metrics,
        beside=others or None,
        per_class=[
            {"name": name, "train": n, "group": groups.group(n), "accuracy": accuracy}
            for name, n, accuracy in zip(trainer.classnames, counts, per_class, strict=True)
        ],
        thresholds={"many_above": groups.many_above, "few_below": groups.few_below},
        seconds={name: round(value, 3) for name, value in seconds.items()},
        peak_memory=peak_memory(),
        history=trainer.history,
    )
    write_text(Path(trainer.output_dir) / CONFIG, config_text(trainer.cfg))
    path = write_record(trainer.output_dir, record)
    print(f"Results written to {path}")
