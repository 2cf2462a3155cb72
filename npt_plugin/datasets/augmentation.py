"""Augmentation that depends on (seed, epoch, pass, image) and nothing else."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from npt_plugin.datasets.samplers import mix


@contextmanager
def seeded_generators(seed: int) -> Iterator[None]:
    """Seed Python's, numpy's and PyTorch's CPU generators, and put them back afterwards.

    Args:
        seed: Non-negative, up to 63 bits.
    """
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.manual_seed(seed)
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        torch.set_rng_state(before[2])


class Clock:
    """Counts epochs, and passes within an epoch, in memory that worker processes share.

    Args:
        seed: Run seed; negative draws one.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed if seed >= 0 else int(torch.randint(2**31, ()))
        self.state = torch.zeros(3, dtype=torch.int64).share_memory_()  # epoch, pass, told

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch comes next; from then on this clock does not count epochs itself."""
        self.state.copy_(torch.tensor([epoch, -1, 1]))

    def next_pass(self) -> None:
        """Begin another pass; it is a new epoch unless :meth:`set_epoch` was ever called."""
        self.state[1] += 1
        if not self.state[2]:
            self.state[0] += 1

    def seed_of(self, index: int) -> int:
        """The seed for augmenting image ``index`` in the present epoch and pass, 63 bits."""
        epoch, number, _ = self.state.tolist()
        return mix(self.seed, epoch, number, index)
