"""Samplers against class imbalance: class-balanced, square-root and progressive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Sampler


class ClassWeightedSampler(Sampler[int]):
    """Draws with replacement so that class c has probability :meth:`class_shares`.

    Without replacement, as some codebases do, the tail runs out and the rest of the epoch is
    many-shot only. One epoch has as many draws as there are items. The order depends on (seed,
    epoch, pass) alone: not on the global generators, the workers or an interruption.

    Args:
        labels: Class index of each item, (N,).
        seed: Run seed; negative draws one.
        max_epoch: Epochs of the run, T.

    Example:
        >>> sampler = ClassBalancedSampler([0] * 99 + [1], seed=1)
        >>> drawn = list(sampler)
        >>> len(drawn), 30 < drawn.count(99) < 70
        (100, True)
    """

    def __init__(self, labels: Sequence[int], seed: int = -1, max_epoch: int = 1) -> None:
        self.labels = torch.as_tensor(list(labels), dtype=torch.int64)  # (N,)
        counts = torch.bincount(self.labels)  # (K,)
        self.counts = counts.double()
        self.present = (counts > 0).double()  # classes without items are never drawn
        self.seed = seed if seed >= 0 else int(torch.randint(2**31, ()))
        self.max_epoch = max(max_epoch, 1)
        self.epoch: int | None = None
        self.passes = 0

    def class_shares(self, epoch: int) -> Tensor:
        """Probability of each class in an epoch, float64, (K,)."""
        raise NotImplementedError

    def set_epoch(self, epoch: int) -> None:
        """Which epoch comes next; without this call, each pass counts as one epoch."""
        self.epoch, self.passes = epoch, 0

    def __iter__(self) -> Iterator[int]:
        epoch = self.passes if self.epoch is None else self.epoch
        generator = torch.Generator()
        generator.manual_seed(mix(self.seed, epoch, self.passes))
        self.passes += 1
        per_item = (self.class_shares(epoch) / self.counts.clamp(min=1))[self.labels]  # (N,)
        drawn = torch.multinomial(per_item, len(self), replacement=True, generator=generator)
        return iter(drawn.tolist())

    def __len__(self) -> int:
        return len(self.labels)


def mix(*numbers: int) -> int:
    """One well-mixed 63-bit seed from several integers (the same on every machine)."""
    state = 0x9E3779B97F4A7C15
    for number in numbers:  # splitmix64 steps
        state = (state ^ (number & (2**64 - 1))) * 0xBF58476D1CE4E5B9 % 2**64
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB % 2**64
        state ^= state >> 31
    return state >> 1


class ClassBalancedSampler(ClassWeightedSampler):
    """Every class equally often: p_c = 1 / K.

    Source: Kang et al., Decoupling, ICLR 2020, eq. 1 with q = 0.
    """

    def class_shares(self, epoch: int) -> Tensor:
        """Uniform over the classes that have items."""
        return self.present / self.present.sum()  # (K,)


class SquareRootSampler(ClassWeightedSampler):
    """Half-way between natural and balanced: p_c proportional to sqrt(n_c).

    Source: Kang et al., Decoupling, ICLR 2020, eq. 1 with q = 1/2.
    """

    def class_shares(self, epoch: int) -> Tensor:
        """Proportional to the square root of the count."""
        roots = self.counts.sqrt()  # (K,)
        return roots / roots.sum()  # (K,)


class ProgressiveSampler(ClassWeightedSampler):
    """From natural to balanced: p_c(t) = (1 - t/T) n_c/N + (t/T) / K, epoch t of T, t from 0.

    Source: Kang et al., Decoupling, ICLR 2020, eq. 2.
    """

    def class_shares(self, epoch: int) -> Tensor:
        """Mixture at this epoch."""
        t = min(epoch / self.max_epoch, 1.0)
        natural = self.counts / self.counts.sum()  # (K,)
        balanced = self.present / self.present.sum()  # (K,)
        return (1 - t) * natural + t * balanced  # (K,)


SAMPLERS = {
    cls.__name__: cls for cls in (ClassBalancedSampler, SquareRootSampler, ProgressiveSampler)
}


def build_sampler(cfg: Any, items: Sequence[Any], name: str) -> ClassWeightedSampler | None:
    """The sampler of a config name, or None if the name is not ours.

    Args:
        cfg: yacs config of the run (SEED, OPTIM.MAX_EPOCH).
        items: Training items with ``label``.
        name: ``DATALOADER.TRAIN_X.SAMPLER``.
    """
    if name not in SAMPLERS:
        return None
    return SAMPLERS[name]([item.label for item in items], cfg.SEED, cfg.OPTIM.MAX_EPOCH)
