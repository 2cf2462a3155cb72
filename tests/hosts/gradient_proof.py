"""In a host's own run, in float64: its gradient with NPT against loss + terms written by hand.

The loss is the host's, and so is the step. By hand means: plain hooks keep what both encoders put
out, with its graph; the terms are computed on it and added to the loss that is about to go
backward. Nothing of ``hosts/capture.py`` or ``hosts/labels.py`` takes part.
"""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import torch
from double import replacements
from torch import nn

from npt_plugin.backbone.outputs import PromptOutputs

AFTER = 2
"""Steps taken before the one that is compared."""


@contextmanager
def proving(out: str, last_pass: int = 0, labels_in: str = "") -> Iterator[None]:
    """Compute in float64; the third step of a wrapped trainer is compared, and ends the run."""
    from dassl.utils import set_random_seed

    from npt_plugin.hosts.wrap import HostNPT

    plain, taken = HostNPT.forward_backward, []

    def forward_backward(self, batch, *more):
        taken.append(batch)
        if len(taken) <= AFTER:
            return plain(self, batch, *more)

        def step(run, objective):
            self.npt_objective = copy.deepcopy(objective)
            set_random_seed(7)
            with gradients_of(self) as found:
                summary = run()
            return found, summary

        objective, npt = self.npt_objective, self.npt
        npt.objective = copy.deepcopy(objective)
        ours, summary = step(lambda: plain(self, batch, *more), objective)
        self.npt = None
        alone, _ = step(lambda: plain(self, batch, *more), objective)
        with by_hand(self, batch, last_pass, labels_in) as terms:
            joint, _ = step(lambda: plain(self, batch, *more), objective)
        result = {
            "gaps": {name: gap(ours[name], joint[name]) for name in joint},
            "moved": max(gap(alone[name], joint[name]) for name in joint),
            "terms": {name: [float(summary[name]), value] for name, value in terms.items()},
            "dtypes": sorted({str(value.dtype) for value in joint.values()}),
        }
        Path(out).write_text(json.dumps(result))
        raise KeyboardInterrupt("compared")

    with in_double(), patch.object(HostNPT, "forward_backward", forward_backward):
        yield


def gap(actual: torch.Tensor, expected: torch.Tensor) -> float:
    """Largest difference as a share of the largest expected entry."""
    return float((actual - expected).abs().max() / expected.abs().max().clamp_min(1e-30))


@contextmanager
def in_double() -> Iterator[None]:
    """What hosts and package compute in float32, in float64, until the end."""
    models = [module for name, module in sys.modules.items() if ".model" in name]
    norms = {norm for m in models if is_own_norm(norm := vars(m).get("LayerNorm"))}
    places = [
        *replacements(),
        *((norm, "forward", nn.LayerNorm.forward) for norm in norms),
        (torch, "load", lambda *args, load=torch.load, **how: doubled(load(*args, **how))),
    ]
    kept = [(owner, name, getattr(owner, name)) for owner, name, _ in places]
    try:
        for owner, name, value in places:
            setattr(owner, name, value)
        torch.set_default_dtype(torch.float64)
        yield
    finally:
        torch.set_default_dtype(torch.float32)
        for owner, name, value in reversed(kept):
            setattr(owner, name, value)


def is_own_norm(norm) -> bool:
    """Whether this is a CLIP's LayerNorm, which computes in float32 whatever it gets."""
    return isinstance(norm, type) and issubclass(norm, nn.LayerNorm) and norm is not nn.LayerNorm


def doubled(value):
    """A checkpoint with its float32 tensors in float64."""
    if isinstance(value, dict):
        return {key: doubled(part) for key, part in value.items()}
    single = isinstance(value, torch.Tensor) and value.dtype == torch.float32
    return value.double() if single else value


@contextmanager
def gradients_of(trainer) -> Iterator[dict[str, torch.Tensor]]:
    """Gradients of all parameters of the trainer's optimisers when they step; they do not."""
    found: dict[str, torch.Tensor] = {}
    optimizers = {name: o for name, o in trainer._optims.items() if o is not None}

    def keep(name, optimizer):
        def step(*args, **kwargs):
            parameters = [p for group in optimizer.param_groups for p in group["params"]]
            for index, parameter in enumerate(parameters):
                if parameter.grad is not None and parameter.grad.abs().max() > 0:
                    found[f"{name} {index}"] = parameter.grad.clone()

        return step

    kept = {name: vars(optimizer).get("step") for name, optimizer in optimizers.items()}
    for name, optimizer in optimizers.items():
        optimizer.step = keep(name, optimizer)
    try:
        yield found
    finally:
        for name, optimizer in optimizers.items():
            del optimizer.step
            if kept[name] is not None:
                optimizer.step = kept[name]


@contextmanager
def by_hand(trainer, batch, last_pass: int, labels_in: str) -> Iterator[dict[str, float]]:
    """Add the terms to the loss of backward pass ``last_pass``."""
    model = next(
        model
        for model in (trainer.model, *trainer._models.values())
        if all(isinstance(getattr(model, f"{t}_encoder", None), nn.Module) for t in TOWERS)
    )
    seen: dict[str, list] = {tower: [] for tower in TOWERS}
    handles = [
        getattr(model, f"{tower}_encoder").register_forward_hook(keeper(seen[tower]))
        for tower in TOWERS
    ]
    labels, passes = [batch["label"]], []
    backward = torch.autograd.backward  # a function mode calls Tensor.backward more than once
    values: dict[str, float] = {}

    def joint(loss, *args, **kwargs):
        passes.append(loss)
        if len(passes) - 1 == last_pass:
            terms = terms_of(trainer, seen, labels[-1])
            values.update({name: float(term.detach()) for name, term in terms.items()})
            loss = loss + sum(terms.values())
        return backward(loss, *args, **kwargs)

    with patch.object(torch.autograd, "backward", joint):
        if labels_in:
            parse = getattr(trainer, labels_in)

            def shown(*args, **kwargs):
                images, found = parse(*args, **kwargs)
                labels.append(found)
                return images, found

            setattr(trainer, labels_in, shown)
        try:
            yield values
        finally:
            for handle in handles:
                handle.remove()


TOWERS = ("image", "text")


def keeper(seen: list):
    def keep(module, args, output):
        value = output[0] if isinstance(output, (tuple, list)) else output
        seen.append((value, torch.is_grad_enabled()))

    return keep


def terms_of(trainer, seen: dict[str, list], labels: torch.Tensor) -> dict[str, torch.Tensor]:
    """The terms on what the encoders put out: calls that train, else those with gradients on."""
    rows = {}
    for tower, calls in seen.items():
        training = [value for value, _ in calls if value.requires_grad]
        enabled = [value for value, on in calls if on]
        value = torch.cat(training or enabled or [value for value, _ in calls])
        rows[tower] = value / value.norm(dim=-1, keepdim=True)
    classes = len(trainer.dm.dataset.classnames)
    images, text = rows["image"], rows["text"]
    labels = labels.repeat(len(images) // len(labels))
    if len(text) > classes:  # a set of prompts for each image
        text = text.view(len(images), classes, -1)
        cosines = (images[:, None] * text).sum(dim=-1)
    else:
        cosines = images @ text.T
    return trainer.npt_objective(PromptOutputs(cosines, images, text), labels)
