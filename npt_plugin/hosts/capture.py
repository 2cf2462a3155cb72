"""What a host's two encoders put out in one step, and the gradient NPT adds to it.

A host computes its loss wherever it likes; all we need is that its model encodes images and class
prompts in modules called ``image_encoder`` and ``text_encoder``. Forward hooks note what they
return. When the host's backward pass reaches one of these tensors, every forward pass it depends on
is over: the terms are computed on detached copies, and their gradient is added to the one passing
by. The result is the gradient of host loss + terms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from npt_plugin.backbone.outputs import PromptOutputs, normalize
from npt_plugin.errors import UserError
from npt_plugin.geometry import promote


@dataclass(eq=False)
class Seen:
    """One encoder call.

    Attributes:
        tower: "image" or "text".
        value: (rows, D) what the encoder returned, detached.
        rank: 2 if it needs a gradient, 1 if it was made with gradients enabled, 0 otherwise.
        served: Number of the last ``zero_grad`` after which its gradient was added.
    """

    tower: str
    value: Tensor
    rank: int
    served: int = -1


class StepFeatures:
    """The encoder calls behind one backward pass.

    Which calls count, per tower: those whose output needs a gradient; if none does (a frozen
    tower), those made with gradients enabled; if there are none either, all. So a teacher or
    zero-shot branch under ``no_grad`` never mixes with the trained path.

    Args:
        labels: (B,) of the batch.
        n_classes: K.
    """

    def __init__(self, labels: Tensor, n_classes: int) -> None:
        self.labels, self.n_classes = labels, n_classes
        self.calls: list[Seen] = []
        self.terms: dict[str, Tensor] = {}
        self.gradients: dict[Seen, Tensor] | None = None

    def trained_path(self, tower: str) -> list[Seen]:
        """The calls of one tower that count."""
        calls = [seen for seen in self.calls if seen.tower == tower]
        best = max((seen.rank for seen in calls), default=0)
        return [seen for seen in calls if seen.rank == best]

    def outputs(self) -> tuple[PromptOutputs, Tensor]:
        """The step as the losses want it, with its labels.

        Several image calls (views of the same batch) are further images with the same labels.
        Text rows: K is one set of prompts; N * K is a set for each of the N images (CoCoOp, in
        one call or in N); another multiple of K is several sets, of which the mean is taken.

        Raises:
            UserError: If rows and labels do not fit together.
        """
        parts = {tower: self._rows(tower) for tower in ("image", "text")}
        images, text = normalize(parts["image"]), normalize(parts["text"])
        n, sets, k = len(images), len(text) // self.n_classes, self.n_classes
        if n % len(self.labels) or len(text) % k or not sets:
            raise UserError(
                f"image_encoder gave {n} rows for {len(self.labels)} labels and text_encoder "
                f"{len(text)} rows for {k} classes: NPT cannot tell which belongs to which."
            )
        labels = self.labels.to(images.device).repeat(n // len(self.labels))  # (N,)
        if sets > 1:
            text = text.unflatten(0, (sets, k))  # (sets, K, D)
            text = text if sets == n else normalize(text.mean(dim=0))
        cosines = torch.einsum("nd,nkd->nk" if text.ndim == 3 else "nd,kd->nk", images, text)
        return PromptOutputs(cosines, images, text), labels

    def _rows(self, tower: str) -> Tensor:
        calls = self.trained_path(tower)
        if not calls:
            raise UserError(
                f"The host's {tower}_encoder was not called in a training step: NPT has no {tower} "
                "features to act on."
            )
        return promote(torch.cat([seen.value for seen in calls]))  # (rows, D)

    def differentiate(self, objective: nn.Module) -> None:
        """Compute terms and gradients, once."""
        with torch.enable_grad():
            leaves = [s for tower in ("image", "text") for s in self.trained_path(tower)]
            leaves = [seen for seen in leaves if seen.rank == 2]
            for seen in leaves:
                seen.value.requires_grad_()
            outputs, labels = self.outputs()
            terms = objective(outputs, labels)
            values = [seen.value for seen in leaves]
            total = sum(terms.values())
            found = torch.autograd.grad(total, values, allow_unused=True) if values else ()
        self.gradients = {s: g for s, g in zip(leaves, found, strict=True) if g is not None}
        self.terms = {name: term.detach() for name, term in terms.items()}


class Regulariser:
    """Adds the terms' gradient to a host's training steps.

    Each gradient is added once per ``zero_grad`` of the host: a host that runs backward twice in a
    step to combine gradients (ProGrad) has it in each, one that accumulates has it once.

    Args:
        objective: ``(outputs, labels) -> {name: weighted scalar}``.
        n_classes: K.
        scale: Multiplies a gradient as the host's loss is multiplied (GradScaler).
    """

    def __init__(
        self, objective: nn.Module, n_classes: int, scale: Callable[[Tensor], Tensor]
    ) -> None:
        self.objective, self.n_classes, self.scale = objective, n_classes, scale
        self.step: StepFeatures | None = None
        self.zeroed = 0

    def attach(self, model: nn.Module) -> None:
        """Hook ``model.image_encoder`` and ``model.text_encoder``."""
        for tower in ("image", "text"):
            module = getattr(model, f"{tower}_encoder")
            module.register_forward_hook(self._hook(tower))

    def _hook(self, tower: str) -> Callable[[nn.Module, Any, Any], None]:
        return lambda module, args, output: self.record(tower, output)

    def watch(self, optimizer: torch.optim.Optimizer) -> None:
        """Notice when ``optimizer`` clears gradients."""
        clear = optimizer.zero_grad

        def zero_grad(*args: Any, **kwargs: Any) -> None:
            self.zeroed += 1
            clear(*args, **kwargs)

        optimizer.zero_grad = zero_grad  # type: ignore[method-assign]  # of this object alone

    def begin(self, labels: Tensor) -> None:
        """A training step starts; before it and after ``end`` nothing is recorded."""
        self.step = StepFeatures(labels, self.n_classes)

    def end(self) -> dict[str, Tensor]:
        """The step is over; its terms, detached, empty if no gradient passed."""
        step, self.step = self.step, None
        return step.terms if step is not None else {}

    def record(self, tower: str, output: Any) -> None:
        """Note an encoder's output, and wait for its gradient."""
        if self.step is None:
            return
        if self.step.gradients is not None:  # a backward pass is over: a new forward pass
            before, self.step = self.step, StepFeatures(self.step.labels, self.n_classes)
            self.step.terms = before.terms
        feature = _feature(tower, output)
        rank = 2 if feature.requires_grad else int(torch.is_grad_enabled())
        seen = Seen(tower, feature.detach().clone(), rank)
        self.step.calls.append(seen)
        if rank == 2:
            step = self.step
            feature.register_hook(lambda gradient: self._add(step, seen, gradient))

    def _add(self, step: StepFeatures, seen: Seen, gradient: Tensor) -> Tensor:
        if step.gradients is None:
            step.differentiate(self.objective)
        extra = (step.gradients or {}).get(seen)
        if extra is None or seen.served == self.zeroed:
            return gradient
        seen.served = self.zeroed
        return gradient + self.scale(extra).to(gradient.dtype)


def _feature(tower: str, output: Any) -> Tensor:
    """The feature matrix (rows, D) in what an encoder returns: a tensor, or the first of a tuple.

    Raises:
        UserError: If there is none.
    """
    first = output[0] if isinstance(output, (tuple, list)) and output else output
    if not isinstance(first, Tensor) or first.ndim != 2:
        shape = tuple(first.shape) if isinstance(first, Tensor) else type(first).__name__
        raise UserError(
            f"The host's {tower}_encoder returns {shape}; NPT needs one feature per row, (rows, D)."
        )
    return first
