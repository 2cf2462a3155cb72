from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npt_plugin.datasets.fewshot import draw_shots, few_shot, seeded_random
from npt_plugin.datasets.source import Record


def _records(sizes: list[int], prefix: str = "t") -> list[Record]:
    return [Record(f"{prefix}{k}_{i}", k, f"c{k}") for k, n in enumerate(sizes) for i in range(n)]


def _global_random_reference(
    train: list[Record], val: list[Record], shots: int, seed: int
) -> tuple[list[Record], list[Record]]:
    """The CoOp family's procedure, spelled out on the global generator."""
    random.seed(seed)
    parts = []
    for items, n in ((train, shots), (val, min(shots, 4))):
        labels = list(dict.fromkeys(r.label for r in items))
        part = []
        for label in labels:
            members = [r for r in items if r.label == label]
            part += random.sample(members, n) if len(members) >= n else members
        parts.append(part)
    return parts[0], parts[1]


@given(
    sizes=st.lists(st.integers(1, 25), min_size=1, max_size=8),
    shots=st.sampled_from([1, 2, 4, 8, 16]),
    seed=st.integers(0, 2**32 - 1),
    data=st.data(),
)
def test_equals_the_global_procedure_whatever_the_order(
    sizes: list[int], shots: int, seed: int, data: st.DataObject
) -> None:
    train = data.draw(st.permutations(_records(sizes)))
    val = data.draw(st.permutations(_records([n // 2 + 1 for n in sizes], "v")))
    assert few_shot(train, val, shots, seed) == _global_random_reference(train, val, shots, seed)


def test_hand_value_of_seed_1() -> None:
    train, val = few_shot(_records([10, 3]), _records([6, 2], "v"), shots=4, seed=1)
    rng = random.Random(1)
    expected = [f"t0_{i}" for i in rng.sample(range(10), 4)]
    assert [r.path for r in train] == [*expected, "t1_0", "t1_1", "t1_2"]
    assert [r.path for r in val][4:] == ["v1_0", "v1_1"]


def test_does_not_touch_the_global_generator() -> None:
    random.seed(5)
    before = random.getstate()
    few_shot(_records([20, 20]), _records([9, 9]), 16, 0)
    assert random.getstate() == before


def test_seed_0_is_a_seed_and_negative_is_none() -> None:
    assert seeded_random(0).random() == random.Random(0).random()
    assert seeded_random(-1).random() != seeded_random(-1).random()


def test_without_a_seed_the_global_generator_decides():
    random.seed(3)
    first = seeded_random(-1).random(), seeded_random(-1).random()
    random.seed(3)
    assert (seeded_random(-1).random(), seeded_random(-1).random()) == first
    random.seed(4)
    assert seeded_random(-1).random() != first[0]


def test_below_one_shot_keeps_everything_in_order() -> None:
    train = _records([5, 2])
    assert few_shot(train, train[:2], -1, 1) == (train, train[:2])


def test_a_small_class_draws_nothing_from_the_generator() -> None:
    rng, other = random.Random(3), random.Random(3)
    draw_shots(_records([2, 3]), 16, rng)
    assert rng.random() == other.random()


REAL = json.loads((Path(__file__).parent / "real_fewshot_choices.json").read_text("utf-8"))
DATASETS = [name for name in REAL if name != "_about"]


def _numbered(runs: list[list[int]]) -> list[Record]:
    """Records whose path is their place in the published split file."""
    labels = [label for label, count in runs for _ in range(count)]
    return [Record(str(place), label, f"c{label}") for place, label in enumerate(labels)]


def _sha256(chosen: list[Record]) -> str:
    return hashlib.sha256(",".join(record.path for record in chosen).encode()).hexdigest()


@pytest.mark.parametrize("name", DATASETS)
def test_the_published_choices_of_the_coop_family(name: str) -> None:
    facts = REAL[name]
    train, val = _numbered(facts["train_labels"]), _numbered(facts["val_labels"])
    assert [len(train), len(val)] == facts["sizes"][:2]
    for shots, seeds in facts["choices"].items():
        for seed, (train_hash, val_hash) in seeds.items():
            chosen_train, chosen_val = few_shot(train, val, int(shots), int(seed))
            assert _sha256(chosen_train) == train_hash, (shots, seed)
            assert _sha256(chosen_val) == val_hash, (shots, seed)


def test_all_published_choices_are_here() -> None:
    assert sum(len(s) for name in DATASETS for s in REAL[name]["choices"].values()) == 105
