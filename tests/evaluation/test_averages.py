"""The two published rules, spread and interval, against printed tables."""

import csv
import math
from importlib import resources

import pytest

from npt_plugin.evaluation.averages import (
    h_of_averages,
    harmonic_mean,
    interval,
    mean_and_sd,
    mean_of_h,
)


def published(method):
    """Base and new accuracy of the eleven datasets, and the printed average row."""
    path = resources.files("npt_plugin.report") / "published_base2new.csv"
    rows = [r for r in csv.DictReader(path.read_text().splitlines()) if r["method"] == method]
    pairs = [(float(r["base"]), float(r["new"])) for r in rows if r["dataset"] != "average"]
    (average,) = (r for r in rows if r["dataset"] == "average")
    return pairs, average


@pytest.mark.parametrize(
    "method, averages, datasets", [("CoOp", 71.66, 70.83), ("MaPLe", 78.55, 78.27)]
)
def test_the_two_rules_on_published_tables(method, averages, datasets):
    pairs, printed = published(method)
    assert len(pairs) == 11
    assert round(h_of_averages(pairs), 2) == averages == float(printed["H"])
    assert round(mean_of_h(pairs), 2) == datasets


def test_the_mean_of_h_is_never_the_larger():
    for method in ("CLIP", "CoOp", "CoCoOp", "MaPLe"):
        pairs, _ = published(method)
        assert mean_of_h(pairs) < h_of_averages(pairs)
    assert mean_of_h([(60.0, 40.0)] * 3) == pytest.approx(h_of_averages([(60.0, 40.0)] * 3))


def test_harmonic_mean():
    assert harmonic_mean(60, 40) == 48
    assert harmonic_mean(0, 0) == 0
    assert harmonic_mean(40, 60) == harmonic_mean(60, 40)


def test_mean_and_deviation():
    assert mean_and_sd([1.0, 3.0]) == (2.0, pytest.approx(math.sqrt(2)))
    mean, sd = mean_and_sd([4.0])
    assert mean == 4.0 and math.isnan(sd)


def test_the_interval_is_students():
    low, high = interval([3.0, 2.0, 5.0])
    half = 4.302652729911275 * math.sqrt(7 / 3) / math.sqrt(3)  # t(0.975, 2), from a table
    assert (low, high) == pytest.approx((10 / 3 - half, 10 / 3 + half))


def test_the_interval_of_one_value_and_of_equal_values():
    assert interval([1.0]) is None
    assert interval([0.0, 0.0, 0.0]) == (0.0, 0.0)
