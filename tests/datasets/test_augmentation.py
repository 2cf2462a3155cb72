from __future__ import annotations

import random

import numpy as np
import torch

from npt_plugin.datasets.augmentation import Clock, seeded_generators


def _draws() -> tuple[float, float, float]:
    return random.random(), float(np.random.random()), float(torch.rand(()))


def test_generators_are_seeded_inside_and_put_back_outside() -> None:
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    expected = _draws()
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    with seeded_generators(2**62 + 5):
        inside = _draws()
    assert _draws() == expected
    with seeded_generators(2**62 + 5):
        assert _draws() == inside
    try:
        with seeded_generators(3):
            raise KeyError
    except KeyError:
        pass
    after = _draws()
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    _draws()
    assert _draws() == after  # an error inside does not leave the generators changed


def test_a_clock_counts_epochs_itself_until_it_is_told() -> None:
    untold, told = Clock(5), Clock(5)
    seeds = []
    for epoch in range(3):
        untold.next_pass()
        seeds.append([untold.seed_of(i) for i in range(4)])
        told.set_epoch(epoch)
        told.next_pass()
        again = [told.seed_of(i) for i in range(4)]
        told.next_pass()
        assert again != [told.seed_of(i) for i in range(4)]  # a second pass of the same epoch
    flat = [seed for row in seeds for seed in row]
    assert len(set(flat)) == len(flat)
    told.set_epoch(1)
    told.next_pass()
    before = [told.seed_of(i) for i in range(4)]
    told.set_epoch(1)
    told.next_pass()
    assert [told.seed_of(i) for i in range(4)] == before  # a resumed epoch is the same


def test_a_clock_is_seen_by_worker_processes_and_draws_a_seed_if_there_is_none() -> None:
    assert Clock(1).state.is_shared()
    torch.manual_seed(0)
    one, two = Clock(-1), Clock(-1)
    assert one.seed >= 0 and one.seed != two.seed
