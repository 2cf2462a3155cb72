from __future__ import annotations

from pathlib import Path

import pytest
from mini_trees import text
from reader_checks import read

from npt_plugin.datasets.list_format import label_numbers, read_rows, to_records
from npt_plugin.datasets.longtail_lists import group_sizes
from npt_plugin.datasets.source import Record
from npt_plugin.errors import UserError


def test_groups_are_by_training_count() -> None:
    sizes = [1280, 101, 100, 20, 19, 5]
    records = [Record("", label, "") for label, n in enumerate(sizes) for _ in range(n)]
    assert group_sizes(records) == (2, 2, 2)


def test_list_round_trip_of_a_long_tail(tmp_path: Path) -> None:
    """Counts and groups of CIFAR100-LT, IR 100, survive the list format: 35 / 35 / 30 classes."""
    sizes = [int(500 * 0.01 ** (i / 99)) for i in range(100)]
    lines = [f"train/c {k}/{i}.jpg {k}" for k, n in enumerate(sizes) for i in range(n)]
    text(tmp_path / "l.txt", lines)
    rows = read_rows(str(tmp_path / "l.txt"))
    records = to_records(rows, label_numbers(rows), [f"c {k}" for k in range(100)])
    assert len(records) == 10_847
    assert group_sizes(records) == (35, 35, 30)


def test_a_gap_in_the_labels_is_named(tmp_path: Path) -> None:
    text(tmp_path / "places-lt/Places_LT_train.txt", ["train/a/1.jpg 0", "train/c/1.jpg 2"])
    text(tmp_path / "places-lt/Places_LT_val.txt", ["val/a/1.jpg 0"])
    text(tmp_path / "places-lt/Places_LT_test.txt", ["val/a/1.jpg 0"])
    with pytest.raises(UserError, match="label 1 has no training row"):
        read("PlacesLT", tmp_path)
