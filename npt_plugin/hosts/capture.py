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
from npt_plugin.hosts.balance import Balance
from npt_plugin.hosts.labels import Parsed, asked, labels_of, parsed_of
from npt_plugin.losses.objective import Objective


@dataclass(eq=False)
class Seen:
    """One encoder call.

    Attributes:
        tower: "image" or "text".
        value: (rows, D) what the encoder returned, detached.
        rank: 2 if it needs a gradient, 1 if it was made with gradients enabled, 0 otherwise.
        rows: What it was given, (rows, ...).
        served: Number of the last ``zero_grad`` after which its gradient was added.
    """

    tower: str
    value: Tensor
    rank: int
    rows: Tensor | None = None
    served: int = -1


class StepFeatures:
    """The encoder calls behind one backward pass.

    Which calls count, per tower: those whose output needs a gradient; if none does (a frozen
    tower), those made with gradients enabled; if there are none either, all. So a teacher or
    zero-shot branch under ``no_grad`` never mixes with the trained path.

    Args:
        find_labels: Gives the labels (N,) of all rows of these image calls, once they are needed.
        n_classes: K.

    Attributes:
        targets: (n,) targets of the host's classification losses over K classes, in order.
        charged: Number of the last ``zero_grad`` after which a classification loss's gradient
            passed; None while the host has not computed one.
        passed: Whether a backward pass has begun.
    """

    def __init__(self, find_labels: Callable[[StepFeatures], Tensor], n_classes: int) -> None:
        self.find_labels, self.n_classes = find_labels, n_classes
        self.calls: list[Seen] = []
        self.targets: list[Tensor] = []
        self.charged: int | None = None
        self.passed = False
        self.terms: dict[str, Tensor] = {}
        self.gradients: dict[Seen, Tensor] | None = None

    def trained_path(self, tower: str) -> list[Seen]:
        """The calls of one tower that count."""
        calls = [seen for seen in self.calls if seen.tower == tower]
        best = max((seen.rank for seen in calls), default=0)
        return [seen for seen in calls if seen.rank == best]

    def outputs(self) -> tuple[PromptOutputs, Tensor]:
        """The step as the losses want it, with its labels.

        Several image calls (views of a batch) are further images, each with its own labels.
        Text rows: K is one set of prompts; N * K is a set for each of the N images (CoCoOp, in
        one call or in N); another multiple of K is several sets, of which the mean is taken.

        Raises:
            UserError: If the labels of the rows are not certain, or texts and classes do not fit.
        """
        parts = {tower: self._rows(tower) for tower in ("image", "text")}
        images, text = normalize(parts["image"]), normalize(parts["text"])
        n, sets, k = len(images), len(text) // self.n_classes, self.n_classes
        if len(text) % k or not sets:
            raise UserError(
                f"text_encoder gave {len(text)} rows for {k} classes: NPT cannot tell which "
                "belongs to which."
            )
        labels = self.find_labels(self).to(images.device)  # (N,)
        if len(labels) != n:
            raise UserError(
                f"image_encoder gave {n} features for {len(labels)} images: NPT needs one for each."
            )
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

    The terms travel with the host's classification loss: of several backward passes over one
    forward pass, as ProGrad takes them, those have the terms that ``cross_entropy`` or ``nll_loss``
    takes part in. Where a host computes neither, each pass counts. Either way a gradient is added
    once per ``zero_grad``: a host that accumulates has it once.

    Args:
        objective: ``(outputs, labels) -> {name: weighted scalar}``.
        n_classes: K.
        scale: Multiplies a gradient as the host's loss is multiplied (GradScaler).
        hook: The trainer's ``npt_labels``, if it has one; see ``labels.py``.
    """

    def __init__(
        self,
        objective: Objective,
        n_classes: int,
        scale: Callable[[Tensor], Tensor],
        hook: Callable[[Any], Any] | None = None,
    ) -> None:
        self.objective, self.n_classes, self.scale, self.hook = objective, n_classes, scale, hook
        self.step: StepFeatures | None = None
        self.batches: tuple[Any, ...] = ()
        self.parsed: list[Parsed] = []
        self.zeroed = 0
        self.balance: Balance | None = Balance()  # until it has been told

    def attach(self, model: nn.Module) -> None:
        """Hook ``model.image_encoder`` and ``model.text_encoder``."""
        for tower in ("image", "text"):
            module = getattr(model, f"{tower}_encoder")
            module.register_forward_hook(self._hook(tower), with_kwargs=True)

    def _hook(self, tower: str) -> Callable[[nn.Module, tuple, dict, Any], None]:
        def note(module: nn.Module, args: tuple, kwargs: dict, output: Any) -> None:
            given = next((x for x in (*args, *kwargs.values()) if isinstance(x, Tensor)), None)
            self.record(tower, output, given)

        return note

    def watch(self, optimizer: torch.optim.Optimizer) -> None:
        """Notice when ``optimizer`` clears gradients."""
        clear = optimizer.zero_grad

        def zero_grad(*args: Any, **kwargs: Any) -> None:
            self.zeroed += 1
            clear(*args, **kwargs)

        optimizer.zero_grad = zero_grad  # type: ignore[method-assign]  # of this object alone

    def begin(self, *batches: Any) -> None:
        """A training step on these batches starts; outside of steps nothing is recorded."""
        self.batches, self.parsed = batches, []
        for batch in batches:
            self.note_parsed((batch,), batch)
        self.step = StepFeatures(self._labels, self.n_classes)

    def end(self) -> dict[str, Tensor]:
        """The step is over; its terms, detached, empty if no gradient passed."""
        step, self.step = self.step, None
        self.batches, self.parsed = (), []
        return step.terms if step is not None else {}

    def tell_balance(self) -> None:
        """Print once, after the first step that shows it, how strong the terms are."""
        if self.balance is None:
            return
        line = self.balance.line(self.objective.weights, self.objective.ramp)
        self.balance = Balance() if line is None else None
        if line is not None:
            print(line)

    def note_parsed(self, arguments: tuple, result: Any) -> None:
        """Note what the host made of a batch: images with their labels."""
        for batch in self.batches:
            if any(argument is batch for argument in arguments):
                found = parsed_of(result, batch)
                self.parsed += [found] if found is not None else []
                return

    def note_loss(self, scores: Tensor, target: Any, loss: Tensor) -> None:
        """Note a classification loss: what it was told, and when its gradient passes."""
        if self.step is None or not isinstance(target, Tensor) or not loss.requires_grad:
            return
        step = self.step
        classes = scores.ndim == 2 and scores.shape[1] == self.n_classes
        if classes and target.ndim == 1 and not target.is_floating_point():
            step.targets.append(target.detach())
        step.charged = -1 if step.charged is None else step.charged

        def passing(gradient: Tensor) -> None:
            step.charged = self.zeroed

        loss.register_hook(passing)

    def _labels(self, step: StepFeatures) -> Tensor:
        calls = step.trained_path("image")
        inputs = [seen.value if seen.rows is None else seen.rows for seen in calls]
        if self.hook is not None:
            return asked(self.hook, self.batches[0], sum(map(len, inputs)))
        return labels_of(inputs, self.parsed, step.targets, self.n_classes)

    def _forward(self) -> StepFeatures:
        """The current step's features; after a backward pass, those of a new forward pass."""
        step = self.step
        assert step is not None
        if step.passed:
            fresh = StepFeatures(self._labels, self.n_classes)
            fresh.terms = step.terms
            self.step = step = fresh
        return step

    def record(self, tower: str, output: Any, rows: Tensor | None = None) -> None:
        """Note an encoder's output and what it was given, and wait for its gradient."""
        if self.step is None:
            return
        step = self._forward()
        feature = _feature(tower, output)
        rank = 2 if feature.requires_grad else int(torch.is_grad_enabled())
        seen = Seen(tower, feature.detach().clone(), rank, rows if tower == "image" else None)
        step.calls.append(seen)
        if rank == 2:
            feature.register_hook(lambda gradient: self._add(step, seen, gradient))

    def _add(self, step: StepFeatures, seen: Seen, gradient: Tensor) -> Tensor:
        step.passed = True
        if step.charged is not None and step.charged != self.zeroed:
            return gradient  # a pass without the classification loss
        if step.gradients is None:
            step.differentiate(self.objective)
        extra = (step.gradients or {}).get(seen)
        if extra is None or seen.served == self.zeroed:
            return gradient
        seen.served = self.zeroed
        extra = self.scale(extra).to(gradient.dtype)
        if self.balance is not None:
            self.balance.add(seen.tower, gradient, extra)
        return gradient + extra


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
