"""Dots are seeds, lines are means, and the average is by its rule."""

import pytest

from npt_plugin.evaluation.averages import harmonic_mean
from npt_plugin.plots.seeds import every_seed


def means(axis):
    return [lines.get_segments()[0][0][1] for lines in axis.collections]


def test_a_line_is_the_mean_of_its_dots(unit):
    (axis,) = every_seed([unit("CoOp", 1, 60, 40), unit("CoOp", 2, 80, 90)]).axes
    h = [harmonic_mean(60, 40), harmonic_mean(80, 90)]
    assert means(axis) == [pytest.approx(sum(h) / 2)]
    assert axis.lines[0].get_ydata().tolist() == pytest.approx(h)
    assert axis.get_ylim()[0] > 30  # not from 0


def test_zero_shot_comes_first(unit):
    figure = every_seed([unit("CoOp", 1, 60, 40), unit("ZeroshotCLIP", 1, 50, 50)])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["ZeroshotCLIP", "CoOp"]


def test_the_average_is_h_of_averages_over_seeds_that_all_have(unit):
    units = [unit("CoOp", 1, 80, 80, "a"), unit("CoOp", 1, 90, 10, "b")]
    units.append(unit("CoOp", 2, 50, 50, "a"))  # the other dataset has no seed 2
    units.append(unit("NPT_CoOp", 1, 50, 50, "a"))  # on one dataset only: no average
    (axis,) = every_seed(units).axes
    names = [tick.get_text() for tick in axis.get_xticklabels()]
    assert names == ["a", "b", "average\n(H of averages)"]
    assert len(means(axis)) == 4 and means(axis)[-1] == pytest.approx(harmonic_mean(85, 45))


def test_several_taus_have_groups_of_their_own(unit):
    units = [unit("CoOp", 1, 60, 40, ratio=0.06), unit("CoOp", 1, 60, 40, ratio=1.0)]
    (axis,) = every_seed(units).axes
    names = [tick.get_text() for tick in axis.get_xticklabels()]
    assert names == ["pets\ntau 0.06, 16 shots", "pets\ntau 1, 16 shots"]
