"""Thresholds of many-, medium- and few-shot classes."""

import pytest

from npt_plugin.evaluation.groups import GROUPS, ShotGroups


@pytest.mark.parametrize(
    "counts, many, few", [([16, 1], 8, 3.2), ([500, 5], 100, 20), ([100, 2], 50, 20)]
)
def test_thresholds_follow_the_largest_class(counts, many, few):
    assert ShotGroups.for_counts(counts) == ShotGroups(many, few)


def test_thresholds_can_be_set_one_at_a_time():
    assert ShotGroups.for_counts([16], many_above=10) == ShotGroups(10, 3.2)
    assert ShotGroups.for_counts([500], few_below=0) == ShotGroups(100, 0)
    groups = ShotGroups(100, 20)
    assert [groups.group(n) for n in (101, 100, 20, 19)] == ["many", "medium", "medium", "few"]


def test_balanced_data_are_all_many():
    for shots in (1, 2, 4, 8, 16, 500):
        groups = ShotGroups.for_counts([shots] * 5)
        assert {groups.group(shots)} == {"many"}


def test_four_shots_at_a_strong_imbalance_have_no_few():
    counts = [4, 3, 2, 1, 1, 1]
    found = {ShotGroups.for_counts(counts).group(n) for n in counts}
    assert found == {"many", "medium"}


def test_groups_do_not_rise_with_the_count():
    groups = ShotGroups.for_counts([40, 1])
    places = [GROUPS.index(groups.group(n)) for n in range(41)]
    assert places == sorted(places, reverse=True)
