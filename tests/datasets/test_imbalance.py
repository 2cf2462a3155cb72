from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npt_plugin.datasets.imbalance import ImbalanceSpec, class_order, class_sizes, make_imbalanced
from npt_plugin.datasets.selection import SelectionSpec, select
from npt_plugin.datasets.source import Record, Source
from npt_plugin.errors import UserError

RATIOS = st.floats(1e-4, 1, allow_nan=False)


def _source(sizes: list[int]) -> Source:
    def records(part: str) -> list[Record]:
        return [
            Record(f"{part}/{k}/{i}.jpg", k, f"name {k}")
            for k, n in enumerate(sizes)
            for i in range(n)
        ]

    names = [f"name {k}" for k in range(len(sizes))]
    return Source("Toy", "/nowhere", names, records("train"), records("val"), records("test"))


@given(st.integers(1, 400), st.integers(1, 2000), RATIOS, st.sampled_from(["exp", "step"]))
def test_sizes_fall_from_n_max_to_n_min(classes: int, n_max: int, tau: float, profile: str) -> None:
    sizes = class_sizes(classes, n_max, tau, profile)
    assert len(sizes) == classes
    assert sizes[0] == n_max
    assert sizes == sorted(sizes, reverse=True)
    assert min(sizes) >= 1
    if classes > 1:
        assert abs(sizes[-1] - max(1, n_max * tau)) <= 0.5 + 1e-9
    if profile == "exp":
        for k, size in enumerate(sizes):
            exact = n_max * tau ** (k / max(classes - 1, 1))
            assert abs(size - max(exact, 1)) <= 0.5 + 1e-9
    else:
        assert len(set(sizes)) <= 2
        assert sizes.count(sizes[0]) >= -(-classes // 2)


def test_hand_values() -> None:
    assert class_sizes(5, 16, 0.25) == [16, 11, 8, 6, 4]
    assert class_sizes(5, 16, 0.06) == [16, 8, 4, 2, 1]
    assert class_sizes(5, 16, 0.25, "step") == [16, 16, 16, 4, 4]
    assert class_sizes(1, 16, 0.06) == [16]


@given(
    sizes=st.lists(st.integers(1, 30), min_size=2, max_size=12),
    shots=st.sampled_from([1, 2, 4, 8, 16, -1]),
    seed=st.integers(0, 1000),
    tau=RATIOS,
    other=RATIOS,
    profile=st.sampled_from(["exp", "step"]),
    order=st.sampled_from(["index", "random", "frequency"]),
    subset=st.sampled_from(["all", "base", "new"]),
)
def test_subset_of_the_balanced_shots_nested_and_no_name_shifts(
    sizes: list[int],
    shots: int,
    seed: int,
    tau: float,
    other: float,
    profile: str,
    order: str,
    subset: str,
) -> None:
    source = _source(sizes)

    def chosen(ratio: float) -> list[Record]:
        spec = SelectionSpec(shots, seed, subset, ImbalanceSpec(ratio, profile, order))
        selection = select(source, spec)
        assert (
            selection.classnames
            == {
                "all": source.classnames,
                "base": source.classnames[: -(-len(sizes) // 2)],
                "new": source.classnames[-(-len(sizes) // 2) :],
            }[subset]
        )
        for record in (*selection.train, *selection.val, *selection.test):
            assert selection.classnames[record.label] == record.classname
        assert {r.label for r in selection.train} == set(range(len(selection.classnames)))
        plain = select(source, SelectionSpec(shots, seed, subset))
        assert (selection.val, selection.test) == (plain.val, plain.test)
        return selection.train

    balanced, large, small = chosen(1.0), chosen(max(tau, other)), chosen(min(tau, other))
    in_large, in_small = set(large), set(small)
    assert in_small <= in_large <= set(balanced)
    assert large == [r for r in balanced if r in in_large]  # the order stays
    for label in {r.label for r in large}:  # and each class keeps a prefix
        mine = [r for r in large if r.label == label]
        assert mine == [r for r in balanced if r.label == label][: len(mine)]


def test_ratio_1_changes_nothing() -> None:
    records = _source([3, 9, 4]).train
    for profile in ("exp", "step"):
        for order in ("index", "random", "frequency"):
            spec = ImbalanceSpec(1.0, profile, order)
            assert make_imbalanced(records, spec, 3, 16, 0, [3, 9, 4]) == records


def test_orders() -> None:
    assert class_order(4, "index", 1) == [0, 1, 2, 3]
    assert class_order(4, "frequency", 1, [5, 9, 9, 1]) == [1, 2, 0, 3]
    shuffled = class_order(50, "random", 3)
    assert shuffled == class_order(50, "random", 3) != class_order(50, "random", 4)
    assert sorted(shuffled) == list(range(50))


def test_order_by_frequency_uses_the_full_training_set() -> None:
    spec = SelectionSpec(4, 1, "all", ImbalanceSpec(0.25, "exp", "frequency"))
    counts = Counter(r.label for r in select(_source([10, 30, 20]), spec).train)
    assert counts == {1: 4, 2: 2, 0: 1}


def test_order_by_frequency_inside_a_class_half() -> None:
    spec = SelectionSpec(4, 1, "new", ImbalanceSpec(0.25, "exp", "frequency"))
    counts = Counter(r.label for r in select(_source([10, 90, 10, 30, 20]), spec).train)
    assert counts == {0: 4, 1: 1}  # labels 3 and 4, of which 3 is the more frequent
    flipped = select(_source([10, 20, 90, 20, 30]), spec).train
    assert Counter(r.label for r in flipped) == {1: 4, 0: 1}


def test_full_training_set_is_cut_from_its_largest_class() -> None:
    spec = SelectionSpec(-1, 1, "all", ImbalanceSpec(0.1))
    counts = Counter(r.label for r in select(_source([100, 100, 100]), spec).train)
    assert counts == {0: 100, 1: 32, 2: 10}


def test_imbalance_comes_after_the_class_half() -> None:
    spec = SelectionSpec(16, 1, "new", ImbalanceSpec(0.25))
    counts = Counter(r.label for r in select(_source([20] * 7), spec).train)
    assert counts == {0: 16, 1: 8, 2: 4}


@pytest.mark.parametrize("ratio", [0, -0.1, 1.0001, float("nan"), float("inf")])
def test_ratio_outside_is_one_sentence(ratio: float) -> None:
    with pytest.raises(UserError, match=r"RATIO is .* must be above 0 and at most 1"):
        ImbalanceSpec(ratio)


def test_unknown_words_name_the_choices() -> None:
    with pytest.raises(UserError, match="PROFILE is 'linear'; use one of exp, step"):
        ImbalanceSpec(0.5, "linear")
    with pytest.raises(UserError, match="ORDER is 'size'; use one of index, random, frequency"):
        ImbalanceSpec(0.5, "exp", "size")
    with pytest.raises(UserError, match="SUBSAMPLE_CLASSES is 'old'; use one of all, base, new"):
        select(_source([3, 3]), SelectionSpec(1, 1, "old"))


def test_a_single_class_has_no_new_half() -> None:
    with pytest.raises(UserError, match="new is empty: the dataset has 1 class"):
        select(_source([3]), SelectionSpec(1, 1, "new"))


def _public(sizes: list[int], tau: float) -> list[int]:
    """Candle's rule, class after class: the largest first, the fraction cut off."""
    ranked = sorted(range(len(sizes)), key=lambda k: -sizes[k])
    kept = [0] * len(sizes)
    for place, label in enumerate(ranked):
        share = int(max(sizes[ranked[0]] * tau ** (place / (len(sizes) - 1.0)), 1))
        kept[label] = min(share, sizes[label])
    return kept


@given(st.lists(st.integers(1, 140), min_size=2, max_size=40), st.sampled_from([0.01, 0.02, 0.5]))
def test_candle_s_counts_are_cut_off_from_the_largest_class_at_hand(
    sizes: list[int], tau: float
) -> None:
    spec = SelectionSpec(100, 1, "all", ImbalanceSpec(tau, "exp_down", "shots"))
    chosen = Counter(record.label for record in select(_source(sizes), spec).train)
    expected = _public([min(size, 100) for size in sizes], tau)
    assert [chosen[k] for k in range(len(sizes))] == expected
