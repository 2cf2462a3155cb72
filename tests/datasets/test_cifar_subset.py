from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from npt_plugin.datasets.cifar_subset import longtail_sizes, public_subset
from npt_plugin.datasets.source import Record


@pytest.mark.parametrize(("ir", "total"), [(10, 19573), (50, 12608), (100, 10847)])
def test_public_counts_of_cifar100_lt(ir: int, total: int) -> None:
    sizes = longtail_sizes(100, 500, 1 / ir)
    assert sum(sizes) == total
    assert (sizes[0], sizes[-1]) == (500, 500 // ir)


def test_public_counts_of_cifar10_lt_and_step() -> None:
    assert sum(longtail_sizes(10, 5000, 0.01)) == 12406
    assert longtail_sizes(10, 5000, 0.01)[-1] == 50
    assert longtail_sizes(5, 100, 0.1, "step") == [100, 100, 10, 10, 10]


def test_seed_0_subset_equals_the_public_procedure() -> None:
    rng = np.random.RandomState(7)
    labels = rng.permutation(np.repeat(np.arange(6), 40))
    items = [Record(f"{i}", int(label), "") for i, label in enumerate(labels)]
    sizes = longtail_sizes(6, 40, 0.1)
    np.random.seed(0)  # the shared data code, on the global generator
    expected = []
    for label, size in zip(np.unique(labels), sizes, strict=True):
        positions = np.where(labels == label)[0]
        np.random.shuffle(positions)
        expected += list(positions[:size])
    assert [int(item.path) for item in public_subset(items, sizes)] == expected


def test_full_size_counts_through_the_subset() -> None:
    items = [Record("", i % 100, "") for i in range(50_000)]
    counts = Counter(item.label for item in public_subset(items, longtail_sizes(100, 500, 0.01)))
    assert sum(counts.values()) == 10_847
    assert (counts[0], counts[35], counts[70], counts[99]) == (500, 98, 19, 5)
