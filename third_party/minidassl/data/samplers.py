"""Orders in which training samples are visited.

Custom samplers draw from Python's global generator (and numpy's, to fill up small classes), once on
construction, to learn their length, and once an epoch: that is what makes a seed give the same
batches as in Dassl.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import RandomSampler, Sampler, SequentialSampler
from yacs.config import CfgNode

from minidassl.data.datasets.datum import Datum
from minidassl.errors import ConfigError


def _positions(samples: Sequence[Datum], attribute: str) -> dict[int, list[int]]:
    """Group positions in a list by label or domain, in order of first appearance."""
    groups: dict[int, list[int]] = {}
    for position, item in enumerate(samples):
        groups.setdefault(getattr(item, attribute), []).append(position)
    return groups


class _DrawnSampler(Sampler[int]):
    """A sampler that draws a whole epoch at a time; a subclass says how."""

    def _draw(self) -> list[int]:
        raise NotImplementedError

    def _fix_length(self) -> None:
        # an epoch's length depends on the draw, and the draw is part of the random stream
        self.length = len(self._draw())

    def __iter__(self) -> Iterator[int]:
        return iter(self._draw())

    def __len__(self) -> int:
        return self.length


class _DomainSampler(_DrawnSampler):
    """Batches of equally many samples from each of some domains, until one runs short."""

    def __init__(self, samples: Sequence[Datum], batch_size: int, n_domain: int) -> None:
        self.groups = _positions(samples, "domain")
        self.n_domain = n_domain if n_domain > 0 else len(self.groups)
        self.per_domain, rest = divmod(batch_size, self.n_domain)
        if rest:
            raise AssertionError(f"batch size {batch_size} is not a multiple of {self.n_domain}")
        self._fix_length()

    def _pick_domains(self) -> list[int]:
        raise NotImplementedError

    def _draw(self) -> list[int]:
        left = {domain: list(positions) for domain, positions in self.groups.items()}
        order: list[int] = []
        enough = True
        while enough:
            for domain in self._pick_domains():
                chosen = random.sample(left[domain], self.per_domain)
                order += chosen
                taken = set(chosen)
                left[domain] = [p for p in left[domain] if p not in taken]
                enough = enough and len(left[domain]) >= self.per_domain
        return order


class RandomDomainSampler(_DomainSampler):
    """Each batch has samples from some domains, drawn anew for every batch.

    Args:
        data_source: Samples with domains.
        batch_size: A multiple of the number of domains in a batch.
        n_domain: Domains in a batch; below 1 means all.
    """

    def __init__(self, data_source: Sequence[Datum], batch_size: int, n_domain: int | None) -> None:
        super().__init__(data_source, batch_size, n_domain or 0)

    def _pick_domains(self) -> list[int]:
        return random.sample(list(self.groups), self.n_domain)


class SeqDomainSampler(_DomainSampler):
    """Each batch has samples from all domains, in ascending order.

    Args:
        data_source: Samples with domains.
        batch_size: A multiple of the number of domains.
    """

    def __init__(self, data_source: Sequence[Datum], batch_size: int) -> None:
        super().__init__(data_source, batch_size, n_domain=0)

    def _pick_domains(self) -> list[int]:
        return sorted(self.groups)


class RandomClassSampler(_DrawnSampler):
    """Each batch has some classes with equally many samples of each.

    Args:
        data_source: Samples with labels.
        batch_size: Samples in a batch.
        n_ins: Samples of a class in a batch; smaller classes are filled up by repetition.

    Raises:
        ValueError: The batch is smaller than ``n_ins``.
        AssertionError: There are fewer classes than a batch needs.
    """

    def __init__(self, data_source: Sequence[Datum], batch_size: int, n_ins: int) -> None:
        if batch_size < n_ins:
            raise ValueError(f"batch size {batch_size} is smaller than n_ins {n_ins}")
        self.n_ins = n_ins
        self.classes_per_batch = batch_size // n_ins
        self.groups = _positions(data_source, "label")
        if len(self.groups) < self.classes_per_batch:
            raise AssertionError(
                f"a batch needs {self.classes_per_batch} classes, there are {len(self.groups)}"
            )
        self._fix_length()

    def _chunks(self, positions: list[int]) -> list[list[int]]:
        """Shuffle one class and cut it into chunks of ``n_ins``; the rest is dropped."""
        pool = list(positions)
        if len(pool) < self.n_ins:
            pool = np.random.choice(pool, size=self.n_ins, replace=True).tolist()
        random.shuffle(pool)
        whole = len(pool) - len(pool) % self.n_ins
        return [pool[start : start + self.n_ins] for start in range(0, whole, self.n_ins)]

    def _draw(self) -> list[int]:
        waiting = {label: self._chunks(positions) for label, positions in self.groups.items()}
        open_labels = list(waiting)
        order: list[int] = []
        while len(open_labels) >= self.classes_per_batch:
            for label in random.sample(open_labels, self.classes_per_batch):
                order += waiting[label].pop(0)
                if not waiting[label]:
                    open_labels.remove(label)
        return order


def build_sampler(
    sampler_type: str,
    cfg: CfgNode | None = None,
    data_source: Sequence[Datum] | None = None,
    batch_size: int = 32,
    n_domain: int = 0,
    n_ins: int = 16,
) -> Sampler[int]:
    """Make a sampler by name.

    Args:
        sampler_type: RandomSampler, SequentialSampler, RandomDomainSampler, SeqDomainSampler or
            RandomClassSampler.
        cfg: Unused, for compatibility.
        data_source: The samples.
        batch_size: Samples in a batch.
        n_domain: For RandomDomainSampler.
        n_ins: For RandomClassSampler.

    Returns:
        The sampler.

    Raises:
        ConfigError: (a ValueError) unknown name.
    """
    makers = {
        "RandomSampler": lambda: RandomSampler(data_source),
        "SequentialSampler": lambda: SequentialSampler(data_source),
        "RandomDomainSampler": lambda: RandomDomainSampler(data_source, batch_size, n_domain),
        "SeqDomainSampler": lambda: SeqDomainSampler(data_source, batch_size),
        "RandomClassSampler": lambda: RandomClassSampler(data_source, batch_size, n_ins),
    }
    if sampler_type not in makers:
        raise ConfigError(f"Unknown sampler {sampler_type!r}; allowed are {list(makers)}.")
    return makers[sampler_type]()
