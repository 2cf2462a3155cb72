"""Bars of head and tail: means over datasets, spread over seeds, thresholds below."""

import pytest

from npt_plugin.plots.tail import head_and_tail


def bars(axis):
    return [bar.get_height() for bar in axis.patches]


def test_groups_without_classes_are_left_out(unit):
    units = [unit("CoOp", 1, 60, 40, many=90.0, few=30.0), unit("CoOp", 2, 60, 40, many=80.0)]
    (axis,) = head_and_tail(units).axes
    assert bars(axis) == [85.0, 30.0]


def test_spread_is_over_seeds_of_the_mean_over_datasets(unit):
    units = [
        unit("CoOp", seed, 60, 40, dataset, many=many)
        for seed, dataset, many in ((1, "a", 90.0), (1, "b", 70.0), (2, "a", 92.0), (2, "b", 74.0))
    ]
    units.append(unit("CoOp", 3, 60, 40, "a", many=10.0))  # not on b: no mean
    (axis,) = head_and_tail(units).axes
    assert bars(axis) == [pytest.approx(81.5)]
    (low, high) = axis.containers[1].lines[2][0].get_segments()[0][:, 1]
    assert (high - low) / 2 == pytest.approx(1.5 * 2**0.5)  # of 80 and 83


def test_every_setting_has_a_panel(unit):
    units = [unit("CoOp", 1, 60, 40, ratio=tau, many=tau * 50) for tau in (0.06, 1.0)]
    figure = head_and_tail(units)
    assert [axis.get_title() for axis in figure.axes] == ["tau 1, 16 shots", "tau 0.06, 16 shots"]
    assert [bars(axis) for axis in figure.axes] == [[50.0], [3.0]]


def test_thresholds_and_classes_are_below(unit):
    one = unit("CoOp", 1, 60, 40, many=90.0)
    record = one.runs["base"].record
    object.__setattr__(record, "thresholds", {"many_above": 8.0, "few_below": 3.2})
    object.__setattr__(record, "per_class", [{"group": "many"}, {"group": "few"}, {"group": "few"}])
    (axis,) = head_and_tail([one]).axes
    said = [tick.get_text() for tick in axis.get_xticklabels()]
    assert said[0] == "many-shot\n> 8 images\n1 class" and said[2].endswith(
        "< 3.2 images\n2 classes"
    )
