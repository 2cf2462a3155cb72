"""In a host's own run, in float64: its gradient with NPT against loss + terms added by hand.

The loss is the host's, and so is the step. By hand means: plain hooks keep what both encoders put
out, with its graph; the terms are computed on it and added to the loss that is about to go
backward. Nothing of ``capture.py`` or ``labels.py`` takes part in that.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from npt_plugin.backbone.outputs import PromptOutputs
from npt_plugin.hosts.double import in_double
from npt_plugin.hosts.wrap import TOWERS, HostNPT
from npt_plugin.system.random_state import set_random_seed

AFTER = 2
"""Steps taken before the one that is compared."""


@dataclass(frozen=True)
class Way:
    """How the terms are added by hand.

    Attributes:
        last_pass: To the loss of which backward pass of the step.
        labels_in: Method of the trainer that returns images and labels of the rows it encodes; "":
            the batch's own labels, once for each view of it.
    """

    last_pass: int = 0
    labels_in: str = ""


@dataclass(frozen=True)
class Comparison:
    """One step, taken with NPT, without, and with the terms added by hand.

    Attributes:
        gaps: For each parameter, the largest difference of the gradient with NPT from that by
            hand, as a share of its largest entry.
        moved: The largest such difference of the gradient without the terms.
        terms: Each term as NPT reports it, and by hand.
        dtypes: In which the gradients are.
    """

    gaps: dict[str, float]
    moved: float
    terms: dict[str, tuple[float, float]]
    dtypes: list[str]

    @property
    def worst(self) -> float:
        """The largest gap; infinite where no parameter had a gradient."""
        return max(self.gaps.values(), default=float("inf"))


class Compared(KeyboardInterrupt):
    """The step was compared, and the run ends, as by Ctrl-C."""


class NotByHand(Exception):
    """There is nothing that the terms could be added on by hand."""


@contextmanager
def proving(
    told: Callable[[list[Comparison]], None], ways: Sequence[Way] = (Way(),)
) -> Iterator[None]:
    """Compute in float64; the third step of a wrapped trainer is compared, and ends the run.

    Args:
        told: Called with a comparison for each way that a backward pass was found for.
        ways: How the terms are added by hand.
    """
    plain, taken = HostNPT.forward_backward, []

    def forward_backward(self: Any, batch: Any, *more: Any) -> dict[str, Any]:
        taken.append(batch)
        if len(taken) <= AFTER:
            return plain(self, batch, *more)
        told(_compared(self, batch, lambda: plain(self, batch, *more), ways))
        raise Compared("compared")

    HostNPT.forward_backward = forward_backward  # type: ignore[method-assign]  # until the end
    try:
        with in_double():
            yield
    finally:
        HostNPT.forward_backward = plain  # type: ignore[method-assign]  # as it was


def _compared(
    trainer: Any, batch: Any, run: Callable[[], dict[str, Any]], ways: Sequence[Way]
) -> list[Comparison]:
    objective, npt = trainer.npt_objective, trainer.npt

    def step() -> tuple[dict[str, Tensor], dict[str, Any]]:
        trainer.npt_objective = copy.deepcopy(objective)  # with its running means
        set_random_seed(7)
        with gradients_of(trainer) as found:
            summary = run()
        return found, summary

    npt.objective = copy.deepcopy(objective)
    ours, summary = step()
    trainer.npt = None
    alone, _ = step()
    found = []
    for way in ways:
        with by_hand(trainer, batch, way) as terms:
            joint, _ = step()
        if terms:
            found.append(
                Comparison(
                    {name: _gap(ours.get(name), joint[name]) for name in joint},
                    max((_gap(alone.get(n), joint[n]) for n in joint), default=0.0),
                    {name: (float(summary[name]), value) for name, value in terms.items()},
                    sorted({str(value.dtype) for value in joint.values()}),
                )
            )
    return found


def _gap(actual: Tensor | None, expected: Tensor) -> float:
    """Largest difference as a share of the largest expected entry."""
    actual = torch.zeros_like(expected) if actual is None else actual
    return float((actual - expected).abs().max() / expected.abs().max().clamp_min(1e-30))


@contextmanager
def gradients_of(trainer: Any) -> Iterator[dict[str, Tensor]]:
    """Gradients of all parameters of the trainer's optimisers when they step; they do not."""
    found: dict[str, Tensor] = {}
    optimizers = {name: o for name, o in trainer._optims.items() if o is not None}

    def keep(name: str, optimizer: torch.optim.Optimizer) -> Callable[..., None]:
        def step(*args: Any, **kwargs: Any) -> None:
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
def by_hand(trainer: Any, batch: Any, way: Way) -> Iterator[dict[str, float]]:
    """Add the terms to the loss of one backward pass; gives their values once that is taken."""
    models = (trainer.model, *trainer._models.values())
    model = next(
        m for m in models if all(isinstance(getattr(m, t, None), nn.Module) for t in TOWERS)
    )
    seen: dict[str, list] = {tower: [] for tower in TOWERS}
    handles = [getattr(model, t).register_forward_hook(_keeper(seen[t])) for t in TOWERS]
    labels, passes = [batch["label"]], []
    backward = torch.autograd.backward  # a function mode calls Tensor.backward more than once
    values: dict[str, float] = {}

    def joint(loss: Tensor, *args: Any, **kwargs: Any) -> None:
        passes.append(loss)
        if len(passes) - 1 == way.last_pass:
            terms = _terms(trainer, seen, labels[-1])
            values.update({name: float(term.detach()) for name, term in terms.items()})
            loss = loss + sum(terms.values())
        return backward(loss, *args, **kwargs)

    if way.labels_in:
        parse = getattr(trainer, way.labels_in)

        def shown(*args: Any, **kwargs: Any) -> Any:
            images, found = parse(*args, **kwargs)
            labels.append(found)
            return images, found

        setattr(trainer, way.labels_in, shown)
    torch.autograd.backward = joint  # type: ignore[assignment]  # what hosts give it, until the end
    try:
        yield values
    finally:
        torch.autograd.backward = backward
        if way.labels_in:
            setattr(trainer, way.labels_in, parse)
        for handle in handles:
            handle.remove()


def _keeper(seen: list) -> Callable[[nn.Module, Any, Any], None]:
    def keep(module: nn.Module, args: Any, output: Any) -> None:
        value = output[0] if isinstance(output, (tuple, list)) else output
        seen.append((value, torch.is_grad_enabled()))

    return keep


def _terms(trainer: Any, seen: dict[str, list], labels: Tensor) -> dict[str, Tensor]:
    """The terms on what the encoders put out: calls that train, else those with gradients on."""
    rows = {}
    for tower, calls in seen.items():
        if not calls:
            raise NotByHand(f"its {tower} is not called in a training step")
        training = [value for value, _ in calls if value.requires_grad]
        enabled = [value for value, on in calls if on]
        value = torch.cat(training or enabled or [value for value, _ in calls])
        rows[tower] = value / value.norm(dim=-1, keepdim=True)
    classes = len(trainer.dm.dataset.classnames)
    images, text = rows["image_encoder"], rows["text_encoder"]
    labels = labels.repeat(len(images) // len(labels))
    if len(text) > classes:  # a set of prompts for each image
        text = text.view(len(images), classes, -1)
        cosines = (images[:, None] * text).sum(dim=-1)
    else:
        cosines = images @ text.T
    return trainer.npt_objective(PromptOutputs(cosines, images, text), labels)
