"""Pearson's r and its interval against scipy, and the cost of means taken out."""

import math

import pytest
from scipy import stats

from npt_plugin.evaluation.correlation import correlation

X, Y = [1.0, 2.0, 3.0, 4.0, 5.0, 7.0], [2.0, 1.0, 4.0, 3.0, 7.0, 5.0]


def test_it_is_scipys():
    expected = stats.pearsonr(X, Y)
    ends = expected.confidence_interval(0.95)
    assert correlation(X, Y) == pytest.approx((expected.statistic, ends.low, ends.high), rel=1e-12)


def test_it_does_not_depend_on_unit_or_offset():
    other = correlation([10 * x - 3 for x in X], [y + 100 for y in Y])
    assert other == pytest.approx(correlation(X, Y), rel=1e-12)
    assert correlation([-x for x in X], Y)[0] == pytest.approx(-correlation(X, Y)[0], rel=1e-12)


def test_means_taken_out_widen_the_interval():
    _, low, high = correlation(X, Y)
    _, wider_low, wider_high = correlation(X, Y, means=2)
    assert wider_low < low and wider_high > high
    z = math.atanh(high) - math.atanh(correlation(X, Y)[0])
    wide = math.atanh(wider_high) - math.atanh(correlation(X, Y)[0])
    assert wide / z == pytest.approx(math.sqrt(3 / 2))  # n - 3 and n - 4


def test_no_number_where_there_is_none():
    assert correlation([1, 2, 3], [1, 2, 3]) is None
    assert correlation([1, 1, 1, 1], [1, 2, 3, 4]) is None
    assert correlation([1, 2, 3, 4], [2, 4, 6, 8]) == (1.0, 1.0, 1.0)
