"""One optimiser step of several runs whose prompts pass the text tower together."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import ExitStack
from typing import Any, TypeAlias

import torch
from torch import Tensor

from npt_plugin.backbone.outputs import normalize
from npt_plugin.optim import SAM, gradient_point, update
from npt_plugin.system import ranks
from npt_plugin.trainers.base import Batch, PromptTrainer
from npt_plugin.trainers.model import PromptedCLIP

Outcome: TypeAlias = dict[str, Tensor] | Exception
"""What the log shows of a step; or what went wrong in it."""


def can_stack(model_class: type[PromptedCLIP]) -> bool:
    """Whether all that a model learns goes through the text tower as prompts."""
    return model_class.prompts_for is not PromptedCLIP.prompts_for


def stack_key(trainer: PromptTrainer) -> Hashable:
    """Runs of equal keys can be stacked: the same tower, and prompts laid out alike."""
    model: Any = trainer.model
    looks_twice = isinstance(trainer.optim, SAM)
    if not can_stack(type(model)) or looks_twice or not ranks.alone():
        return id(trainer)
    layout, tower = model.prompt_learner.layout, model.text_encoder
    ends = tuple(layout.eot.tolist())
    return tower.shares_weights(), trainer.precision, trainer.device, layout.shared, ends


def runs_at_once(trainer: PromptTrainer, batch: dict[str, Any]) -> int:
    """How many runs like this one fit into a stack, by ``MODEL.TEXT_CHUNK``; at least 1."""
    model: Any = trainer.model
    layout, ctx = model.prompt_learner.layout, model.prompt_learner.ctx
    like = ctx.new_empty(0, dtype=model.text_encoder.dtype)
    prompts = model.text_encoder.prompts_at_once(layout.buckets[-1][1], layout.shared, like)
    groups = len(batch["label"]) if model.text_depends_on_image else 1
    return max(1, prompts // (groups * len(layout.eot))) if prompts else 2**30


def take_steps(runs: Sequence[tuple[PromptTrainer, dict[str, Any]]]) -> list[Outcome]:
    """One step of each run, on the batch that stands beside it.

    Args:
        runs: All of one ``stack_key``; one run alone takes its step as it always does.
    """
    try:
        if len(runs) == 1:
            ((trainer, batch),) = runs
            return [trainer.forward_backward(batch)]
        return _stacked(runs)
    except Exception as error:
        return [error] * len(runs)


def _stacked(runs: Sequence[tuple[PromptTrainer, dict[str, Any]]]) -> list[Outcome]:
    trainers = [trainer for trainer, _ in runs]
    with ExitStack() as points:
        for trainer in trainers:
            points.enter_context(gradient_point(trainer.optim))
        seen = [_with_features(*run) for run in runs]
        texts = _text_features(trainers, seen)
        leaves = [text.detach().requires_grad_() for text in texts]
        outcomes = [_own_part(*one) for one in zip(trainers, seen, leaves, strict=True)]
        wanted = [torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for leaf in leaves]
        torch.autograd.backward(texts, wanted)
    for trainer in trainers:
        update(trainer.optim, trainer.scaler)
    return outcomes


def _own_part(trainer: PromptTrainer, seen: Batch, text: Tensor) -> Outcome:
    """A run's own losses, down to its text features; what goes wrong here is its alone."""
    try:
        return trainer.backward(seen, text)
    except Exception as error:
        return error


def _with_features(trainer: PromptTrainer, batch: dict[str, Any]) -> Batch:
    """The batch on the device, with image features in its images' place."""
    seen = trainer.on_device(batch)
    if "features" not in seen:
        with trainer.precision.context(trainer.device):
            seen["features"] = trainer.model.image_features(seen.pop("img"))
    return seen


def _text_features(trainers: Sequence[PromptTrainer], seen: Sequence[Batch]) -> list[Tensor]:
    """Unit-norm text features of each run, (K, D), or (B, K, D) where they follow the image."""
    first: Any = trainers[0].model
    pairs = zip(trainers, seen, strict=True)
    with trainers[0].precision.context(trainers[0].device):
        prompts = [t.model.prompts_for(batch["features"]) for t, batch in pairs]  # (G, K, L, W)
        layout = first.prompt_learner.layout
        text = first.text_encoder(torch.cat(prompts), layout.eot, layout=layout)  # (sum G, K, D)
        parts = normalize(text).split([len(groups) for groups in prompts])
    models = [trainer.model for trainer in trainers]
    each = zip(models, parts, strict=True)
    return [part if m.text_depends_on_image else part[0] for m, part in each]
