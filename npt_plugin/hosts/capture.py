"""A host's image and text features in one step, and the gradient NPT adds to them.

A host computes its loss wherever it likes; all we need is that its model encodes images and class
prompts in modules called ``image_encoder`` and ``text_encoder``. Forward hooks note what they
return. When the host's backward pass reaches one of these tensors, every forward pass it depends on
is over: the terms are computed on detached copies, and their gradient is added to the one passing
by. The result is the gradient of host loss + terms. ``TRAINER.NPT.AT logits`` takes the features
behind the class scores instead (``products.py``), whatever the modules are called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from npt_plugin.errors import UserError
from npt_plugin.hosts.balance import Balance
from npt_plugin.hosts.labels import (
    Parsed,
    asked,
    is_contrast,
    label_of_scores,
    labels_of,
    parsed_of,
)
from npt_plugin.hosts.observing import WatchLosses
from npt_plugin.hosts.products import Product, behind, product_of
from npt_plugin.hosts.step_features import Seen, StepFeatures
from npt_plugin.losses.objective import Objective

PLACES = ("encoders", "logits")
"""Values of ``TRAINER.NPT.AT``."""


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
        at: ``TRAINER.NPT.AT``; with "logits" nothing needs attaching.
    """

    def __init__(
        self,
        objective: Objective,
        n_classes: int,
        scale: Callable[[Tensor], Tensor],
        hook: Callable[[Any], Any] | None = None,
        at: str = "encoders",
    ) -> None:
        self.objective, self.n_classes, self.scale, self.hook = objective, n_classes, scale, hook
        self.at = at
        self.products: list[Product] = []
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
        self.batches, self.parsed, self.products = batches, [], []
        for batch in batches:
            self.note_parsed((batch,), batch)
        self.step = StepFeatures(self._labels, self.n_classes)

    def end(self) -> dict[str, Tensor]:
        """The step is over; its terms, detached, empty if no gradient passed."""
        step, self.step = self.step, None
        self.batches, self.parsed, self.products = (), [], []
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

    def watching(self) -> WatchLosses:
        """The context in which a host takes its step."""
        return WatchLosses(self.note_loss, self._note_product if self.at == "logits" else None)

    def _note_product(self, function: Callable, args: tuple, result: Any) -> None:
        found = product_of(function, args, result, self.n_classes)
        self.products += [found] if found is not None else []

    def note_loss(self, scores: Tensor, target: Any, loss: Tensor) -> None:
        """Note a classification loss: what it was told, and when its gradient passes."""
        if self.step is None or not isinstance(target, Tensor) or not loss.requires_grad:
            return
        step = self._forward() if self.at == "logits" else self.step
        classes = scores.ndim == 2 and scores.shape[1] == self.n_classes
        if classes and target.ndim == 1 and not target.is_floating_point():
            if self.at == "encoders" or self._note_operands(step, scores, target):
                step.targets.append(target.detach())
        step.charged = -1 if step.charged is None else step.charged

        def passing(gradient: Tensor) -> None:
            step.charged = self.zeroed

        loss.register_hook(passing)

    def _note_operands(self, step: StepFeatures, scores: Tensor, target: Tensor) -> bool:
        """Wait for the gradient at what made these class scores, if it is found."""
        if is_contrast(target, self.parsed, self.n_classes):
            return False
        found = behind(scores, self.products)
        for product in found:
            if product is step.product:
                continue
            if step.product is not None:
                raise UserError(
                    "TRAINER.NPT.AT is 'logits', but this trainer's losses get their class scores "
                    "from several products of image and text features: set it to 'encoders'."
                )
            step.product = product
            self._wait(step, "image", product.images)
            self._wait(step, "text", product.text, turned=product.turned)
        return bool(found)

    def _labels(self, step: StepFeatures) -> Tensor:
        calls = step.trained_path("image")
        if self.at == "logits" and self.hook is None:
            return label_of_scores(step.targets)
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
        self._wait(step, tower, _feature(tower, output), rows if tower == "image" else None)

    def _wait(
        self,
        step: StepFeatures,
        tower: str,
        feature: Tensor,
        rows: Tensor | None = None,
        turned: bool = False,
    ) -> None:
        rank = 2 if feature.requires_grad else int(torch.is_grad_enabled())
        value = feature.detach().T if turned else feature.detach()
        seen = Seen(tower, value.clone(), rank, rows)
        step.calls.append(seen)

        def passing(gradient: Tensor) -> Tensor:
            if turned:
                return self._add(step, seen, gradient.T).T
            return self._add(step, seen, gradient)

        if rank == 2:
            feature.register_hook(passing)

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
