"""What is tested beside a run's own result: nothing of it is ever chosen on test images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from npt_plugin.evaluation.paired import hits, paired_difference
from npt_plugin.runs.layout import LAST_EPOCH
from npt_plugin.system.safe_checkpoints import read_checkpoint
from npt_plugin.trainers.ensembles import Collect, ensemble_logits

LAST = "last epoch"
"""Beside an average over epochs: what the last one had learned."""

MEAN = "mean of the runs"
"""Beside an average of runs: how often each of them is right alone, on average."""


def beside(
    trainer: Any,
    loader: Any,
    collect: Collect,
    plain: tuple[Tensor, Tensor, Tensor],
    measure: Callable[[Tensor, Tensor], dict[str, Any]],
) -> dict[str, dict[str, Any]]:
    """Metrics of everything tested beside the result, and the paired difference from it.

    Args:
        trainer: A ``PromptTrainer`` in eval mode.
        loader: Its test loader.
        collect: Logits (N, K) and image features (N, D) of a loader's images.
        plain: Logits (N, K), labels (N,) and image features (N, D) of the result itself.
        measure: Metrics of logits and labels.
    """
    logits, labels, features = plain
    own, found = hits(logits, labels), _members(trainer, loader, collect, plain, measure)
    for name, other in _others(trainer, loader, collect, (logits, features)):
        paired = paired_difference(hits(other, labels), own)
        found[name] = {**measure(other, labels), "paired": paired}
    return found


def _members(
    trainer: Any,
    loader: Any,
    collect: Collect,
    plain: tuple[Tensor, Tensor, Tensor],
    measure: Callable[[Tensor, Tensor], dict[str, Any]],
) -> dict[str, dict[str, Any]]:
    """Each run of an average of runs alone, and their mean."""
    found: dict[str, dict[str, Any]] = {}
    logits, labels, _ = plain
    own, each = hits(logits, labels), []
    for name, state in getattr(trainer, "averaged_runs", {}).items():
        with instead(trainer.model, state):
            alone, _ = collect(loader)
        each.append(hits(alone, labels))
        paired = paired_difference(each[-1], own)
        found[name] = {**measure(alone, labels), "paired": paired}
    if each:
        mean = sum(entry["accuracy"] for entry in found.values()) / len(each)
        paired = paired_difference(torch.stack(each).mean(dim=0), own)
        found[MEAN] = {"accuracy": mean, "paired": paired}
    return found


def print_beside(found: Mapping[str, Mapping[str, Any]]) -> None:
    """A line for each, in Dassl's manner."""
    for name, metrics in found.items():
        paired = metrics["paired"]
        ends = paired["interval"]
        sure = "" if ends is None else f" [{ends[0]:+.1f}, {ends[1]:+.1f}]"
        print(
            f"* {name}: accuracy {metrics['accuracy']:.1f}%, {paired['difference']:+.1f}{sure} "
            f"from the above (paired over {paired['n']} {paired['over']})"
        )


def _others(
    trainer: Any, loader: Any, collect: Collect, plain: tuple[Tensor, Tensor]
) -> Iterator[tuple[str, Tensor]]:
    last = _last_epoch(trainer)
    if last:
        with instead(trainer.model, last):
            yield LAST, collect(loader)[0]
    yield from ensemble_logits(trainer, loader, collect, plain)


def _last_epoch(trainer: Any) -> Mapping[str, Tensor]:
    """What the last epoch had learned, as a checkpoint's state; empty where no average is."""
    if trainer.epoch_average is None or getattr(trainer, "averaged_runs", None):
        return {}
    if trainer.epoch_average.last:
        key = trainer.model.checkpoint_key
        return {key(name): tensor for name, tensor in trainer.epoch_average.last.items()}
    folder = Path(getattr(trainer, "model_dir", "") or "")
    file = folder / trainer.model.checkpoint_name / LAST_EPOCH
    return read_checkpoint(file)["state_dict"] if file.is_file() else {}


@contextmanager
def instead(model: Any, state: Mapping[str, Tensor]) -> Iterator[None]:
    """Let a model have learned something else for a while.

    Args:
        model: A ``PromptedCLIP``.
        state: As in its checkpoints.
    """
    own = {name: parameter.detach().clone() for name, parameter in model.learned().items()}
    model.load_checkpoint_state(state, "what is tested beside the result")
    try:
        yield
    finally:
        with torch.no_grad():
            for name, parameter in model.learned().items():
                parameter.copy_(own[name])
