"""The public long-tailed subset of CIFAR: counts and the images of seed 0."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from npt_plugin.datasets.fewshot import Item


def longtail_sizes(num_classes: int, n_max: int, ratio: float, profile: str = "exp") -> list[int]:
    """Images per class of CIFAR-LT, rounded down where :func:`~.imbalance.class_sizes` rounds.

    exp: n_i = int(n_max * tau^(i / (K-1))). step: the first floor(K/2) classes keep n_max, the
    others int(n_max * tau). At least 1.

    Args:
        num_classes: K.
        n_max: 500 for CIFAR-100, 5,000 for CIFAR-10.
        ratio: tau = 1 / imbalance ratio (the papers' IR), e.g. 0.01.
        profile: exp or step.

    Source: Cao et al., LDAM, NeurIPS 2019, and the data code the long-tail papers share.
    """
    if profile == "step":
        head = num_classes // 2
        powers = [0.0] * head + [1.0] * (num_classes - head)
    else:
        powers = [i / max(num_classes - 1.0, 1.0) for i in range(num_classes)]
    return [max(1, int(n_max * ratio**power)) for power in powers]


def public_subset(items: Sequence[Item], sizes: Sequence[int], seed: int = 0) -> list[Item]:
    """The subset every CIFAR-LT paper trains on.

    Class after class in label order, numpy's legacy generator (seed 0, drawn here from a generator
    of our own) shuffles the positions of the class and the first n stay.

    Args:
        items: The full training set in file order.
        sizes: Images per label, (K,).
        seed: 0 for the public subset.
    """
    generator = np.random.RandomState(seed)
    labels = np.array([item.label for item in items])  # (N,)
    chosen: list[Item] = []
    for label, size in enumerate(sizes):
        positions = np.where(labels == label)[0]
        generator.shuffle(positions)
        chosen.extend(items[i] for i in positions[:size])
    return chosen
