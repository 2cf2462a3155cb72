"""Samplers and few-shot draws; ``known_draws.json`` holds what Dassl itself draws from seed 4."""

import json
import random
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from minidassl.data.datasets import DatasetBase
from minidassl.data.samplers import build_sampler
from torch.utils.data import RandomSampler, SequentialSampler

KNOWN = json.loads((Path(__file__).parent / "known_draws.json").read_text())
ITEMS = [
    SimpleNamespace(impath=str(i), label=(i * i) % 5, domain=i % 3, classname="") for i in range(30)
]
OPTIONS = {
    "RandomClassSampler": {"batch_size": 9, "n_ins": 3},
    "RandomClassSampler filled": {"batch_size": 16, "n_ins": 8},
    "RandomDomainSampler": {"batch_size": 6, "n_domain": 2},
    "SeqDomainSampler": {"batch_size": 9},
}


@pytest.fixture(autouse=True)
def seeded():
    random.seed(4)
    np.random.seed(4)


def make(name):
    return build_sampler(name.split()[0], data_source=ITEMS, **OPTIONS[name])


@pytest.mark.parametrize("name", OPTIONS)
def test_same_draws_as_dassl(name):
    sampler = make(name)
    drawn = [len(sampler), list(sampler), list(sampler), round(random.random(), 12)]
    assert drawn == KNOWN[name]


@pytest.mark.parametrize("case", [k for k in KNOWN if k.startswith("fewshot")])
def test_same_shots_as_dassl(case):
    _, shots, repeat = case.split()
    drawn = DatasetBase.generate_fewshot_dataset(
        DatasetBase, ITEMS, ITEMS[10:], num_shots=int(shots), repeat=repeat == "True"
    )
    indices = [[int(item.impath) for item in part] for part in drawn]
    assert [*indices, round(random.random(), 12)] == KNOWN[case]


def batches(order, size):
    return [order[i : i + size] for i in range(0, len(order), size)]


def test_class_batches():
    for batch in batches(list(make("RandomClassSampler")), 9):
        assert sorted(Counter(ITEMS[i].label for i in batch).values()) == [3, 3, 3]


@pytest.mark.parametrize(
    ("name", "size", "counts"),
    [("RandomDomainSampler", 6, [3, 3]), ("SeqDomainSampler", 9, [3, 3, 3])],
)
def test_domain_batches(name, size, counts):
    order = list(make(name))
    assert len(set(order)) == len(order)
    for batch in batches(order, size):
        assert sorted(Counter(ITEMS[i].domain for i in batch).values()) == counts


def test_a_domain_is_used_up_to_its_last_full_share():
    order = list(build_sampler("SeqDomainSampler", data_source=ITEMS, batch_size=15))
    assert sorted(order) == list(range(30))  # 10 of each domain, 5 a batch: two batches


def test_plain_samplers_are_those_of_torch():
    assert type(build_sampler("RandomSampler", data_source=ITEMS)) is RandomSampler
    assert type(build_sampler("SequentialSampler", data_source=ITEMS)) is SequentialSampler


@pytest.mark.parametrize(
    ("name", "options", "error", "words"),
    [
        ("Fast", {}, ValueError, "Fast"),
        ("RandomClassSampler", {"batch_size": 2, "n_ins": 4}, ValueError, "n_ins 4"),
        ("RandomClassSampler", {"batch_size": 40, "n_ins": 4}, AssertionError, "10 classes"),
        ("RandomDomainSampler", {"batch_size": 7, "n_domain": 2}, AssertionError, "multiple of 2"),
    ],
)
def test_bad_options_are_named(name, options, error, words):
    with pytest.raises(error, match=words):
        build_sampler(name, data_source=ITEMS, **options)
