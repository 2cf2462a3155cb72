"""The encoder calls, or other features, behind one backward pass, and the terms on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from npt_plugin.backbone.outputs import PromptOutputs, normalize
from npt_plugin.errors import UserError
from npt_plugin.geometry import promote
from npt_plugin.hosts.products import Product


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
        product: What made the class scores, where the terms act on its operands.
    """

    def __init__(self, find_labels: Callable[[StepFeatures], Tensor], n_classes: int) -> None:
        self.find_labels, self.n_classes = find_labels, n_classes
        self.calls: list[Seen] = []
        self.targets: list[Tensor] = []
        self.charged: int | None = None
        self.passed = False
        self.product: Product | None = None
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
                "features to act on there. Where one product of image and text features makes its "
                "class scores, set TRAINER.NPT.AT to 'logits'."
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
