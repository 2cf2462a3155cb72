"""Trainers side by side: bars are means, dots are seeds, points are runs."""

import pytest

from npt_plugin.evaluation.averages import harmonic_mean
from npt_plugin.plots.comparison import accuracy_against_collapse, every_seed, head_and_tail


def test_a_bar_is_the_mean_of_its_dots(unit):
    figure = every_seed([unit("CoOp", 1, 60, 40), unit("CoOp", 2, 80, 90)])
    (axis,) = figure.axes
    h = [harmonic_mean(60, 40), harmonic_mean(80, 90)]
    assert axis.patches[0].get_height() == pytest.approx(sum(h) / 2)
    assert axis.lines[0].get_ydata().tolist() == pytest.approx(h)


def test_zero_shot_comes_first(unit):
    figure = every_seed([unit("CoOp", 1, 60, 40), unit("ZeroshotCLIP", 1, 50, 50)])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["ZeroshotCLIP", "CoOp"]


def test_several_datasets_are_shown_relative_to_their_means(unit):
    nc = {"nc3_distance": 1.0, "etf_distance_text": 2.0}
    more = {"nc3_distance": 3.0, "etf_distance_text": 2.0}
    units = [
        unit("CoOp", 1, 60, 40, "a", nc=nc),
        unit("CoOp", 2, 60, 50, "a", nc=more),
        unit("CoOp", 1, 60, 90, "b", nc=nc),
        unit("CoOp", 2, 60, 90, "b"),  # an old record, without the metrics
    ]
    left = accuracy_against_collapse(units).axes[0]
    assert left.collections[0].get_offsets().tolist() == [[-1, -5], [1, 5], [0, 0]]
    left = accuracy_against_collapse(units[:2]).axes[0]
    assert left.collections[0].get_offsets().tolist() == [[1, 40], [3, 50]]


def test_head_and_tail_leave_out_groups_without_classes(unit):
    figure = head_and_tail(
        [unit("CoOp", 1, 60, 40, many=90.0, few=30.0), unit("CoOp", 2, 60, 40, many=80.0)]
    )
    assert [bar.get_height() for bar in figure.axes[0].patches] == [85.0, 30.0]
