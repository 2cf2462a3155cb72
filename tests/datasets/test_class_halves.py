from __future__ import annotations

import pytest

from npt_plugin.datasets.class_halves import keep_classes, labels_of
from npt_plugin.datasets.source import Record
from npt_plugin.errors import UserError


@pytest.mark.parametrize(("classes", "base"), [(2, 1), (5, 3), (37, 19), (100, 50), (1, 1)])
def test_base_is_the_first_half_rounded_up(classes: int, base: int) -> None:
    assert labels_of("all", classes) == range(classes)
    assert labels_of("base", classes) == range(base)
    if classes > 1:
        assert labels_of("new", classes) == range(base, classes)


def test_one_class_has_no_new_half_and_words_are_checked() -> None:
    with pytest.raises(UserError, match="SUBSAMPLE_CLASSES new is empty: the dataset has 1 class"):
        labels_of("new", 1)
    with pytest.raises(UserError, match="SUBSAMPLE_CLASSES is 'old'; use one of all, base, new"):
        labels_of("old", 4)


def test_kept_records_are_relabelled_from_0_in_their_order() -> None:
    records = [Record(str(i), label, f"c{label}", 7) for i, label in enumerate([3, 0, 2, 3, 1])]
    assert keep_classes(records, range(2, 4)) == [
        Record("0", 1, "c3", 7),
        Record("2", 0, "c2", 7),
        Record("3", 1, "c3", 7),
    ]
