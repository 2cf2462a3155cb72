"""The features that classify: operands of the matrix product behind a host's class scores.

Where an adapter or a modulation follows the encoders, their outputs are not what is compared. The
scores that a classification loss is told come of one product of image and text features; it is
found by its node in the autograd graph, through operations that keep each score in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

_MATMULS = (torch.matmul, torch.mm, Tensor.matmul, Tensor.mm, Tensor.__matmul__)
_IN_PLACE = {  # of each score, whatever its value becomes
    f"{name}Backward0"
    for name in (
        *("Add", "Sub", "Rsub", "Mul", "Div", "Neg", "Exp", "Log", "Pow", "Clamp"),
        *("LogSoftmax", "Softmax", "ToCopy", "Clone", "Alias"),
    )
}


@dataclass(frozen=True, eq=False)
class Product:
    """Scores (n, K) as they were computed.

    Attributes:
        node: Their node in the autograd graph.
        images: (n, D).
        text: (D, K) if ``turned``, else (K, D).
        turned: Whether the text features are its columns.
    """

    node: Any
    images: Tensor
    text: Tensor
    turned: bool


def product_of(function: Callable, args: tuple, result: Any, n_classes: int) -> Product | None:
    """The product that a call computed, None if it is none of two matrices with K columns."""
    if function not in _MATMULS and function is not F.linear:
        return None
    if not isinstance(result, Tensor) or result.ndim != 2 or result.shape[1] != n_classes:
        return None
    if result.grad_fn is None or len(args) < 2 or any(x.ndim != 2 for x in args[:2]):
        return None
    if function is F.linear and args[1].is_leaf:  # a layer's weight
        return None
    return Product(result.grad_fn, args[0], args[1], function is not F.linear)


def behind(scores: Tensor, products: Iterable[Product]) -> list[Product]:
    """Those of the products that scores (n, K) were made of, row by row."""
    known = {product.node: product for product in products}
    found: list[Product] = []
    waiting, seen = [scores.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if node in known:
            found.append(known[node])
        elif node.name() in _IN_PLACE:
            waiting += [before for before, _ in node.next_functions]
    return [product for product in found if len(product.images) == len(scores)]
