from __future__ import annotations

import random
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from npt_plugin.datasets.samplers import (
    SAMPLERS,
    ClassBalancedSampler,
    ProgressiveSampler,
    SquareRootSampler,
    build_sampler,
    mix,
)

SIZES = (400, 100, 25)
LABELS = [k for k, n in enumerate(SIZES) for _ in range(n)]


def _shares(sampler: object, epochs: int = 20) -> np.ndarray:
    drawn = [LABELS[i] for _ in range(epochs) for i in sampler]
    counts = Counter(drawn)
    return np.array([counts[k] for k in range(3)]) / len(drawn)


def test_shares_of_each_class() -> None:
    # standard error of a share is below 0.005 with 10,500 draws
    np.testing.assert_allclose(_shares(ClassBalancedSampler(LABELS, 1)), [1 / 3] * 3, atol=0.02)
    np.testing.assert_allclose(
        _shares(SquareRootSampler(LABELS, 1)), np.array([20, 10, 5]) / 35, atol=0.02
    )


def test_progressive_goes_from_natural_to_balanced() -> None:
    sampler = ProgressiveSampler(LABELS, 1, max_epoch=10)
    natural, balanced = np.array(SIZES) / sum(SIZES), np.full(3, 1 / 3)
    for epoch in (0, 3, 10, 12):
        t = min(epoch / 10, 1)
        np.testing.assert_allclose(
            sampler.class_shares(epoch).numpy(), (1 - t) * natural + t * balanced, atol=1e-12
        )


@pytest.mark.parametrize("kind", list(SAMPLERS.values()))
def test_every_item_is_drawn_independently_by_its_share(kind: type) -> None:
    """Draws and pairs of neighbouring draws follow the product of the shares (chi-square).

    Without replacement, an epoch could hold no item more than once; with a share divided wrongly
    inside a class, the first table is off; with draws that depend on each other, the second.
    """
    labels = [0] * 6 + [1] * 3 + [2]
    sampler = kind(labels, seed=3, max_epoch=4)
    shares = sampler.class_shares(2)
    sampler.class_shares = lambda epoch: shares  # the same in every pass
    p = np.array([float(shares[k]) / labels.count(k) for k in labels])
    epochs = [list(sampler) for _ in range(20_000)]
    assert all(len(epoch) == len(sampler) == 10 for epoch in epochs)
    drawn = np.array(epochs)  # (20000, 10)
    assert chisquare(np.bincount(drawn.ravel(), minlength=10), 200_000 * p).pvalue > 1e-3
    pairs = np.zeros((10, 10))
    np.add.at(pairs, (drawn[:, ::2], drawn[:, 1::2]), 1)  # 100,000 pairs, none shares a draw
    assert chisquare(pairs.ravel(), 100_000 * np.outer(p, p).ravel()).pvalue > 1e-3


@pytest.mark.parametrize("kind", list(SAMPLERS.values()))
def test_depends_on_seed_epoch_and_pass_only(kind: type) -> None:
    def epoch(seed: int, number: int) -> list[int]:
        sampler = kind(LABELS, seed, 5)
        sampler.set_epoch(number)
        return list(sampler)

    torch.manual_seed(0)
    random.seed(0)
    before = torch.get_rng_state(), random.getstate()
    first = epoch(0, 2)
    assert torch.equal(before[0], torch.get_rng_state()) and before[1] == random.getstate()
    assert first == epoch(0, 2)
    assert first != epoch(1, 2) and first != epoch(0, 3)
    sampler = kind(LABELS, 0, 5)
    sampler.set_epoch(2)
    assert list(sampler) == first != list(sampler)  # a second pass of an epoch is another draw


def test_without_set_epoch_passes_are_epochs() -> None:
    told, untold = ProgressiveSampler(LABELS, 1, 4), ProgressiveSampler(LABELS, 1, 4)
    list(untold), list(untold)
    told.set_epoch(2)
    third = Counter(LABELS[i] for i in untold)
    assert abs(third[2] - Counter(LABELS[i] for i in told)[2]) < 40  # same shares, another draw
    assert third[2] > 60


def test_a_class_without_items_is_never_drawn() -> None:
    sampler = ClassBalancedSampler([0, 0, 2, 2], seed=0)
    np.testing.assert_allclose(sampler.class_shares(0).numpy(), [0.5, 0, 0.5])
    assert set(sampler) <= {0, 1, 2, 3}


def test_by_config_name() -> None:
    cfg = SimpleNamespace(SEED=1, OPTIM=SimpleNamespace(MAX_EPOCH=7))
    items = [SimpleNamespace(label=k) for k in LABELS]
    sampler = build_sampler(cfg, items, "ProgressiveSampler")
    assert isinstance(sampler, ProgressiveSampler) and sampler.max_epoch == 7
    assert build_sampler(cfg, items, "RandomSampler") is None


def test_mixed_seeds_do_not_collide() -> None:
    seeds = {
        mix(s, e, p, i) for s in range(4) for e in range(4) for p in range(3) for i in range(99)
    }
    assert len(seeds) == 4 * 4 * 3 * 99
    assert all(0 <= seed < 2**63 for seed in seeds)
