"""Which labels the rows belong to that a host's image encoder saw: shown by the host, or refused.

A host may enlarge, reorder or mix a batch before it encodes it, in a method of any name. So labels
are never counted out; they are taken where the host itself ties them to rows:

1. ``npt_labels(self, batch)``, if the trainer has such a method: its (N,) labels, of all rows that
   the step encoded, in their order. It is called in the backward pass, when all is computed.
2. The integer targets of the host's own ``cross_entropy`` or ``nll_loss`` over all K classes, if
   there is one for these rows. In-batch contrast (targets 0, 1, 2, ... of a square matrix) is none.
3. What the host made of the batch: the labels that came with the very images that were encoded,
   out of the loader or out of a method of the trainer that was given the batch.

Anything else ends the run with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from npt_plugin.errors import UserError


@dataclass(frozen=True)
class Parsed:
    """Images that came together with their labels.

    Attributes:
        images: Each (n, ...), views of one batch among them.
        labels: (n,) integers.
    """

    images: tuple[Tensor, ...]
    labels: Tensor


def parsed_of(value: Any, batch: Any) -> Parsed | None:
    """Images and labels in a batch, or in what a host's method returned for it; None if unclear.

    Args:
        value: A dictionary with "label", or a tuple or list that holds one (n,) integer tensor, or
            several of which one equals the batch's own labels.
        batch: The batch as the loader gave it.
    """
    tensors = list(_tensors(value))
    if isinstance(value, Mapping):
        found = value.get("label")
        candidates = [found] if isinstance(found, Tensor) and _is_label(found) else []
    else:
        candidates = [tensor for tensor in tensors if _is_label(tensor)]
    own = batch.get("label") if isinstance(batch, Mapping) else None
    if len(candidates) > 1:
        candidates = [c for c in candidates if isinstance(own, Tensor) and same(c, own)][:1]
    if not candidates:
        return None
    labels = candidates[0]
    images = [t for t in tensors if t.is_floating_point() and t.ndim > 1 and len(t) == len(labels)]
    return Parsed(tuple(images), labels) if images else None


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _tensors(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _tensors(part)


def _is_label(tensor: Tensor) -> bool:
    return tensor.ndim == 1 and tensor.dtype in (torch.int64, torch.int32)


def same(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors hold the same numbers, up to device and precision."""
    if a is b:
        return True
    if a.shape != b.shape:
        return False
    return torch.equal(a.detach().to(b.device, b.dtype), b.detach())


def labels_of(
    inputs: Sequence[Tensor], parsed: Iterable[Parsed], targets: Sequence[Tensor], n_classes: int
) -> Tensor:
    """The labels (N,) of all rows that went into the image encoder on the trained path.

    Args:
        inputs: What each call was given, in order.
        parsed: Images that came with labels in this step.
        targets: (n,) targets of the host's classification losses over K classes, in order.
        n_classes: K.

    Raises:
        UserError: If nothing ties labels to the rows, or two things tie different ones.
    """
    parsed = list(parsed)
    whole = _of_rows(inputs, parsed, targets, n_classes)
    if whole is not None:
        return whole
    parts = [_of_rows([rows], parsed, [], n_classes) for rows in inputs]
    if all(part is None for part in parts) and len(targets) == len(inputs) > 1:
        # a loss for each call, one after the other
        parts = [_of_rows([x], [], [t], n_classes) for x, t in zip(inputs, targets, strict=True)]
    found = [part for part in parts if part is not None]
    if not found or len(found) < len(parts):
        raise _unmatched(inputs, parsed, targets)
    return torch.cat([part.to(found[0].device) for part in found])


def _of_rows(
    inputs: Sequence[Tensor], parsed: list[Parsed], targets: Sequence[Tensor], n_classes: int
) -> Tensor | None:
    """Labels of the rows of some calls taken together."""
    n = sum(len(rows) for rows in inputs)
    used: list[Tensor] = []
    for target in targets:
        if len(target) == n and not any(same(target, other) for other in used):
            used.append(target)
    if len(used) == 1 and not (n == n_classes and _counts_rows(used[0])):
        return used[0]
    fitting = [p for p in parsed if any(_covers(image, inputs, n) for image in p.images)]
    if not fitting or any(not same(p.labels, fitting[0].labels) for p in fitting):
        return None
    return fitting[0].labels


def _counts_rows(target: Tensor) -> bool:
    return same(target, torch.arange(len(target), device=target.device))


def is_contrast(target: Tensor, parsed: Iterable[Parsed], n_classes: int) -> bool:
    """Whether targets 0, 1, ... K - 1 count rows: no parsed batch has these labels."""
    if len(target) != n_classes or not _counts_rows(target):
        return False
    return not any(same(p.labels, target) for p in parsed)


def label_of_scores(targets: Sequence[Tensor]) -> Tensor:
    """The labels (n,) of class scores (n, K): what every loss on them was told.

    Raises:
        UserError: If they were told different ones.
    """
    if any(not same(target, targets[0]) for target in targets):
        raise UserError(
            "NPT cannot tell the labels of this trainer's class scores: its losses are told "
            "different ones for the same scores, as mixed images have. Give its class a method "
            "npt_labels(self, batch) that returns the label of each row."
        )
    return targets[0]


def _covers(image: Tensor, inputs: Sequence[Tensor], n: int) -> bool:
    """Whether the calls together saw these images, row by row."""
    if len(image) != n or any(image.shape[1:] != rows.shape[1:] for rows in inputs):
        return False
    parts = image.split([len(rows) for rows in inputs]) if len(inputs) > 1 else (image,)
    return all(same(part, rows) for part, rows in zip(parts, inputs, strict=True))


def _unmatched(
    inputs: Sequence[Tensor], parsed: list[Parsed], targets: Sequence[Tensor]
) -> UserError:
    calls = " + ".join(str(len(rows)) for rows in inputs)
    came = ", ".join(sorted({str(len(p.labels)) for p in parsed})) or "no"
    used = ", ".join(sorted({str(len(t)) for t in targets})) or "no"
    return UserError(
        f"NPT cannot tell the labels of the {calls} rows that image_encoder saw: the batch came "
        f"with {came} labels for other images, and the host's loss used {used} targets over its "
        "classes that fit. Give the host's trainer class a method npt_labels(self, batch) that "
        "returns the label of each row."
    )


def asked(hook: Callable[[Any], Any], batch: Any, n: int) -> Tensor:
    """The labels that a trainer's own ``npt_labels`` names.

    Raises:
        UserError: If they are not n integers.
    """
    labels = hook(batch)
    if not isinstance(labels, Tensor) or not _is_label(labels) or len(labels) != n:
        shown = tuple(labels.shape) if isinstance(labels, Tensor) else type(labels).__name__
        raise UserError(
            f"npt_labels returned {shown}; it must return one int64 label for each of the {n} rows "
            "that image_encoder saw."
        )
    return labels
