"""Evaluate a prompt trainer: text features once, Dassl's log lines, one record per run."""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from npt_plugin.evaluation import ShotGroups, classification_metrics, per_class_accuracy
from npt_plugin.files import write_text
from npt_plugin.geometry.metrics import nc_metrics
from npt_plugin.losses.posthoc import posthoc_adjust
from npt_plugin.records import config_as_dict, config_hash, versions, write_record


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
    trainer.evaluator.reset()
    print(f"Evaluate on the *{split}* set")
    started = time.time()
    logits, labels, features, text = _see(trainer, loader)
    results = trainer.evaluator.evaluate()
    for name, value in results.items():
        trainer.write_scalar(f"{split}/{name}", value, trainer.epoch)
    seen = trainer.class_counts.tolist() if _trained_on(trainer) else None
    metrics = classification_metrics(logits, labels, seen, _groups(trainer))
    _print_metrics(metrics)
    if split == "test" and trainer.output_dir:
        seconds = {
            "train": getattr(trainer, "train_seconds", 0.0),
            "test": time.time() - started,
        }
        metrics["nc"] = nc_metrics(features, labels, text, logits)
        per_class = per_class_accuracy(logits.argmax(1), labels, logits.shape[1])
        _write(trainer, metrics, per_class, seconds)
    return metrics["accuracy"]


def _see(trainer: Any, loader: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Logits (N, K), labels (N,), image features (N, D) and text features (K, D), on the CPU."""
    model, rows, labels, features, texts = trainer.model, [], [], [], []
    counts = trainer.class_counts
    tau = trainer.cfg.TRAINER.IMBALANCE_LOSS.POSTHOC_TAU if _trained_on(trainer) else 0
    with trainer.precision.context(trainer.device):
        text = None if model.text_depends_on_image else model.text_features()  # (K, D), once
        for batch in tqdm(loader, desc="testing", leave=False):
            images, label = trainer.parse_batch_test(batch)
            outputs = model.encode(images, text)
            logits = outputs.logits.float()  # (B, K)
            if tau:
                logits = posthoc_adjust(logits, counts.to(logits.device), tau)
            trainer.evaluator.process(logits, label)
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
    trainer: Any, metrics: dict[str, Any], per_class: list[float | None], seconds: dict[str, float]
) -> None:
    cfg, groups = trainer.cfg, _groups(trainer)
    counts = trainer.class_counts.tolist()
    record = {
        "status": "completed",
        "trainer": cfg.TRAINER.NAME,
        "dataset": cfg.DATASET.NAME,
        "classes": cfg.DATASET.SUBSAMPLE_CLASSES,
        "backbone": cfg.MODEL.CLIP_WEIGHTS or cfg.MODEL.BACKBONE.NAME,
        "shots": cfg.DATASET.NUM_SHOTS,
        "seed": cfg.SEED,
        "ratio": cfg.DATASET.IMBALANCE.RATIO,
        "profile": cfg.DATASET.IMBALANCE.PROFILE,
        "order": cfg.DATASET.IMBALANCE.ORDER,
        "epochs": cfg.OPTIM.MAX_EPOCH,
        "steps": cfg.TRAIN.STEPS,
        "precision": trainer.precision.name,
        "selection": cfg.TEST.FINAL_MODEL,
        "metrics": metrics,
        "per_class": [
            {"name": name, "train": n, "group": groups.group(n), "accuracy": accuracy}
            for name, n, accuracy in zip(trainer.classnames, counts, per_class, strict=True)
        ],
        "thresholds": {"many_above": groups.many_above, "few_below": groups.few_below},
        "trainable_parameters": sum(p.numel() for p in trainer.model.learned().values()),
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "config_hash": config_hash(cfg),
        "config": config_as_dict(cfg),
        "versions": versions(),
    }
    write_text(f"{trainer.output_dir}/config.yaml", cfg.dump())
    path = write_record(trainer.output_dir, record)
    print(f"Results written to {path}")
