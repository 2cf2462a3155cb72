"""Shared by the tests of the optimisers: a network of two layers, its loss, and its parameters."""

from __future__ import annotations

import torch
from torch import Tensor, nn

X = torch.randn(12, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float32).double()
Y = torch.randint(0, 3, (12,), generator=torch.Generator().manual_seed(1))
BASES = [
    lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=1e-3),
    lambda p: torch.optim.AdamW(p, 0.01),
    lambda p: torch.optim.RMSprop(p, 0.01, momentum=0.5),
]


def network(seed: int = 0, dtype: torch.dtype = torch.float64) -> nn.Sequential:
    """The same parameters for the same seed."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).to(dtype)


def loss_of(model: nn.Sequential, rows: slice = slice(None)) -> Tensor:
    """Cross-entropy on ``X``, ``Y``."""
    return nn.functional.cross_entropy(model(X[rows].to(model[0].weight.dtype)), Y[rows])


def values(model: nn.Module) -> list[Tensor]:
    """Copies of the parameters."""
    return [p.detach().clone() for p in model.parameters()]


def same(a: list[Tensor], b: list[Tensor]) -> bool:
    """Whether two lists of parameters are equal in every bit."""
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
