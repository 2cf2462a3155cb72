from __future__ import annotations

from pathlib import Path

import pytest

from npt_plugin.datasets.source import (
    Record,
    Source,
    check_files,
    check_source,
    classnames_of,
    duplicate_names,
)
from npt_plugin.errors import UserError

R = Record


def test_labels_from_one_are_named() -> None:
    with pytest.raises(UserError, match="run from 1 to 3.*subtract 1"):
        classnames_of("Mine", [R("a", 1, "x"), R("b", 2, "y"), R("c", 3, "z")])


def test_gap_negative_conflict_and_empty() -> None:
    with pytest.raises(UserError, match="label 1 is missing while label 2 exists"):
        classnames_of("Mine", [R("a", 0, "x"), R("b", 2, "y")])
    with pytest.raises(UserError, match="label 0 is missing"):
        classnames_of("Mine", [R("a", -1, "x"), R("b", 1, "y")])
    with pytest.raises(UserError, match="label 0 is called both 'x' and 'y'"):
        classnames_of("Mine", [R("a", 0, "x"), R("b", 0, "y")])
    with pytest.raises(UserError, match="not a single image"):
        classnames_of("Mine", [])


def test_a_class_absent_from_train_keeps_every_name_in_place() -> None:
    train = [R("a", 0, "zero"), R("b", 2, "two")]
    test = [R("c", 1, "one"), R("d", 2, "two")]
    names = classnames_of("Mine", train, test)
    assert names == ["zero", "one", "two"]
    source = Source("Mine", "/x", names, train, [], test)
    with pytest.raises(UserError, match=r"class 1 \('one'\) has no training image"):
        check_source(source)
    assert check_source(source, allow_empty=True) == []


def test_label_beyond_the_class_list() -> None:
    source = Source("Mine", "/x", ["a", "b"], [R("p", 0, "a"), R("q", 2, "c")], [], [])
    with pytest.raises(UserError, match=r"label 2 of 'q' in train is outside 0\.\.1"):
        check_source(source)
    with pytest.raises(UserError, match="training set is empty"):
        check_source(Source("Mine", "/x", ["a"], []))


def test_duplicate_names_are_remarked_not_refused() -> None:
    (remark,) = duplicate_names("X", ["missile", "cat", "Missile ", "a_b"])
    assert "classes 0, 2 are all called 'missile'" in remark
    assert duplicate_names("X", ["a", "b"]) == []


def test_missing_files_are_counted_and_named(tmp_path: Path) -> None:
    (tmp_path / "there.jpg").write_bytes(b"x")
    records = [R("there.jpg", 0, "a"), R("gone 1.jpg", 0, "a"), R("gone 2.jpg", 0, "a")]
    with pytest.raises(UserError, match="2 of 3 images are missing .* first is 'gone 1.jpg'"):
        check_files("Mine", str(tmp_path), records)


def test_what_a_reader_refuses_comes_first_and_what_it_says_is_passed_on() -> None:
    source = Source("Mine", "/x", ["a"], [R("p", 0, "a")], remarks=["r"], problems=["p"])
    assert check_source(source) == ["p", "r"]
    source.refusal, source.train = "No.", []
    with pytest.raises(UserError, match="No."):
        check_source(source)


def test_backslashes_are_named_as_the_likely_reason(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="written with backslashes"):
        check_files("Mine", str(tmp_path), [R("a\\b.jpg", 0, "a")])
