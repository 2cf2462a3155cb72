"""Ends, places and round ticks."""

import pytest

from npt_plugin.report.html.scale import Scale, scale_of


def test_values_lie_between_the_ends():
    scale = scale_of([-2.0, 0.0, 6.0], 0, 100)
    assert float(scale(-2.0)) > 0 and float(scale(6.0)) < 100
    assert Scale(0, 10, 100, 0)(2.5) == "75.00"  # upwards


def test_equal_values_still_have_an_axis():
    assert scale_of([5.0, 5.0], 0, 10)(5.0) == "5.00"


@pytest.mark.parametrize(
    "ends, ticks",
    [((-10.3, 12.2), [-10, -5, 0, 5, 10]), ((0.2, 0.9), [0.2, 0.4, 0.6, 0.8]), ((0, 5), range(6))],
)
def test_ticks_are_round(ends, ticks):
    assert Scale(*ends, 0, 1).ticks() == pytest.approx(list(ticks))
