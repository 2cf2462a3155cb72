from __future__ import annotations

import re
from pathlib import Path

import pytest
from data_cfg import make_cfg

from npt_plugin.datasets.fewshot import few_shot
from npt_plugin.datasets.imbalance import ImbalanceSpec
from npt_plugin.datasets.selection import SelectionSpec, select
from npt_plugin.datasets.source import Record, Source
from npt_plugin.errors import UserError

SIZES = (9, 3, 7, 5)


def _part(prefix: str, sizes: tuple[int, ...] = SIZES) -> list[Record]:
    return [Record(f"{prefix}{k}_{i}", k, f"c{k}") for k, n in enumerate(sizes) for i in range(n)]


@pytest.fixture
def source() -> Source:
    names = [f"c{k}" for k in range(4)]
    return Source("Four", "/data", names, _part("t"), _part("v"), _part("e"))


@pytest.mark.parametrize("shots", [0, -3])
def test_only_minus_one_means_all(tmp_path: Path, shots: int) -> None:
    with pytest.raises(UserError, match=rf"NUM_SHOTS is {shots}; give 1 or more .*-1 for all"):
        SelectionSpec.from_cfg(make_cfg(tmp_path, NUM_SHOTS=shots))
    assert SelectionSpec.from_cfg(make_cfg(tmp_path)).shots == -1


def test_all_images_are_kept_in_order(source: Source) -> None:
    chosen = select(source, SelectionSpec(seed=1))
    assert (chosen.train, chosen.val, chosen.test) == (source.train, source.val, source.test)
    assert chosen.remarks == []


def test_shots_are_drawn_over_all_classes_before_the_half(source: Source) -> None:
    train, val = few_shot(source.train, source.val, 4, 1)
    new = select(source, SelectionSpec(4, 1, "new"))
    assert [r.path for r in new.train] == [r.path for r in train if r.label >= 2]
    assert [r.path for r in new.val] == [r.path for r in val if r.label >= 2]
    assert new.classnames == ["c2", "c3"] and {r.label for r in new.train} == {0, 1}
    assert [r.path for r in new.test] == [r.path for r in source.test if r.label >= 2]


@pytest.mark.parametrize(
    ("shots", "subset", "sentence"),
    [
        (1000, "all", "1000, but 4 of 4 classes have fewer training images .3 to 9.: they keep"),
        (8, "all", "8, but 3 of 4 classes have fewer training images .3 to 7."),
        (8, "base", "8, but 1 of 2 classes have fewer training images .3 each."),
        (3, "all", ""),
        (-1, "all", ""),
    ],
)
def test_classes_with_fewer_images_than_asked_are_counted(
    source: Source, shots: int, subset: str, sentence: str
) -> None:
    remarks = select(source, SelectionSpec(shots, 1, subset)).remarks
    assert len(remarks) == bool(sentence)
    assert re.search(sentence, " ".join(remarks))


def test_imbalance_thins_what_is_left_and_never_val_or_test(source: Source) -> None:
    plain = select(source, SelectionSpec(3, 1))
    skewed = select(source, SelectionSpec(3, 1, imbalance=ImbalanceSpec(1 / 3)))
    counts = [sum(r.label == k for r in skewed.train) for k in range(4)]
    assert counts == [3, 2, 1, 1]  # round(3 * 3 ** (-k / 3))
    assert set(skewed.train) <= set(plain.train)
    assert (skewed.val, skewed.test) == (plain.val, plain.test)


def test_a_test_only_source_is_returned_whole(source: Source) -> None:
    source.test_only = True
    chosen = select(source, SelectionSpec(1, 1, "new", ImbalanceSpec(0.1)))
    assert (chosen.train, chosen.test, chosen.classnames) == (
        source.train,
        source.test,
        source.classnames,
    )


def test_images_that_are_val_and_test_are_not_drawn_from(source: Source) -> None:
    source.val, source.val_is_test = source.test, True
    chosen = select(source, SelectionSpec(2, 1, "base"))
    assert chosen.val is chosen.test and len(chosen.test) == 12
