"""Rows at their place, and stress where the interval leaves out 0 only."""

import re

import pytest

from npt_plugin.report.html.forest import forest, leaves_out_zero


def difference(dataset, mean, ends, **more):
    given = {"dataset": dataset, "tau": 1.0, "shots": 16, "over": [], "n": 3, "config": "cfg"}
    given["comparison"] = "NPT_CoOp - CoOp"
    return {**given, "H": mean, "H_interval": ends, "H_values": [mean] * 3, **more}


@pytest.mark.parametrize(
    "ends, apart",
    [((0.1, 2), True), ((-2, -0.1), True), ((-1, 1), False), ((0, 1), False), (None, False)],
)
def test_stress_needs_an_interval_without_zero(ends, apart):
    row = difference("dtd", 1.0, ends)
    assert leaves_out_zero(row, "H") == apart
    assert ('class="row apart"' in forest([row], "H")) == apart


def test_a_dot_lies_in_the_middle_of_its_interval():
    text = forest([difference("dtd", 1.0, (-1.0, 3.0))], "H")
    low, high = re.search(r'"span" x1="([\d.]+)%" x2="([\d.]+)%"', text).groups()
    (at,) = re.findall(r'cx="([\d.]+)%"', text)
    assert float(at) == pytest.approx((float(low) + float(high)) / 2, abs=0.01)
    zero = float(re.search(r'"zero" x1="([\d.]+)%"', text).group(1))
    assert float(low) < zero < float(at)  # a quarter of the way
    assert zero == pytest.approx(float(low) + (float(high) - float(low)) / 4, abs=0.01)


def test_labels_say_what_varies():
    rows = [difference("dtd", 1.0, None), difference("average", 1.0, None, over=["dtd", "pets"])]
    text = forest(rows, "H")
    assert "H: NPT_CoOp - CoOp, percentage points" in text and "tau" not in text
    assert text.count('class="row average"') == 1 and '"span"' not in text
    rows.append(difference("dtd", 2.0, None, tau=0.06, comparison="NPT_MaPLe - MaPLe"))
    assert "dtd, tau 0.06: NPT_MaPLe - MaPLe" in forest(rows, "H")


def test_a_column_that_no_row_has_is_left_out():
    assert forest([difference("dtd", None, None)], "H") == ""
