"""What prompts have in common and how long they are: what the text tower need not compute."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

_LEAST_SHARED = 3
"""A shorter common start saves less than keeping it apart costs."""

_BUCKET_COST = 32
"""Tokens one more pass through the tower is worth (it reads all weights again)."""


class PromptLayout(nn.Module):
    """Common start, end and length of K prompts.

    A position of the causal text tower depends on those before it alone. So the states of positions
    that start all prompts alike are the same in all of them and are computed once, and whatever
    follows a prompt's own end-of-text token is never computed: prompts of similar length go through
    the tower together. Both are exact.

    Args:
        ids: (K, L) integers, equal where two prompts hold the same vector at that position.
        eot: (K,) position of each prompt's end-of-text token, < L.
        share: Whether the common start may be shared; False where every class has its own context.
        causal: Whether the tower is; otherwise every prompt keeps all L positions.

    Attributes:
        eot: As given.
        shared: Positions of the common start kept apart; 0: none.
        by_length: (K,) classes in order of length; buckets are runs of it.
        back: (K,) where each class stands in that order.
        buckets: (number of classes, length) of each run.
    """

    eot: Tensor
    by_length: Tensor
    back: Tensor

    def __init__(self, ids: Tensor, eot: Tensor, share: bool = True, causal: bool = True) -> None:
        super().__init__()
        self.length = None if causal else ids.shape[1]
        self._arrange(eot, common_start(ids, eot) if share and causal else 0)

    def _arrange(self, eot: Tensor, shared: int) -> None:
        self.shared = shared
        self._parts: dict[tuple[int, int], PromptLayout] = {}
        by_length = torch.argsort(eot, stable=True)  # (K,)
        lengths = (eot[by_length] + 1).tolist()
        lengths = lengths if self.length is None else [self.length] * len(lengths)
        self.buckets = split_lengths([length - self.shared for length in lengths])
        self.buckets = [(count, length + self.shared) for count, length in self.buckets]
        self.register_buffer("eot", eot, persistent=False)
        self.register_buffer("by_length", by_length, persistent=False)
        self.register_buffer("back", torch.argsort(by_length), persistent=False)

    def part(self, rows: slice) -> PromptLayout:
        """The layout of some classes alone; made once.

        Args:
            rows: Which, one at least.
        """
        key = rows.start, rows.stop
        if key not in self._parts:
            part = PromptLayout.__new__(PromptLayout)
            nn.Module.__init__(part)
            part.length = self.length
            part._arrange(self.eot[rows], self.shared)
            self._parts[key] = part
        return self._parts[key]


def common_start(ids: Tensor, eot: Tensor) -> int:
    """How many leading positions are equal in all rows of (K, L); none of them an end of text."""
    same = (ids == ids[:1]).all(dim=0).int().cumprod(dim=0)  # (L,)
    start = min(int(same.sum()), int(eot.min()))
    return start if start >= _LEAST_SHARED else 0


def split_lengths(lengths: Sequence[int], cost: int = _BUCKET_COST) -> list[tuple[int, int]]:
    """Cut ascending lengths into runs so that padding plus ``cost`` a run is least.

    Args:
        lengths: Ascending, one per prompt.
        cost: What a run costs beside its tokens, in tokens.

    Returns:
        (prompts, longest length) of each run, in order.
    """
    values = sorted(set(lengths))
    upto = [sum(length <= value for length in lengths) for value in values]
    best: list[tuple[int, list[tuple[int, int]]]] = [(0, [])]  # for the first i distinct lengths
    for i, value in enumerate(values):
        options = []
        for start in range(i + 1):  # the last run holds distinct lengths start..i
            count = upto[i] - (upto[start - 1] if start else 0)
            total, runs = best[start]
            options.append((total + count * value + cost, [*runs, (count, value)]))
        best.append(min(options, key=lambda option: option[0]))
    return best[-1][1]
