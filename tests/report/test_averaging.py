"""Rows of several datasets: by column, and H by the two published rules."""

import pytest

from npt_plugin.evaluation.averages import harmonic_mean
from npt_plugin.report.averaging import H_OF_AVERAGES, MEAN, MEAN_OF_H, by_column, rule_of
from npt_plugin.report.published import BASE2NEW, published


def values(base, new, **more):
    return {"base": base, "new": new, "H": harmonic_mean(base, new), **more}


@pytest.mark.parametrize("method", ["CLIP", "CoOp", "CoCoOp", "MaPLe"])
def test_h_of_averages_is_the_printed_average_row(method):
    rows = [r for r in published(BASE2NEW) if r["method"] == method]
    (printed,) = (r for r in rows if r["dataset"] == "average")
    each = [values(r["base"], r["new"]) for r in rows if r["dataset"] != "average"]
    found = H_OF_AVERAGES.over_datasets(each)
    for column in ("base", "new", "H"):
        assert found[column] == pytest.approx(printed[column], abs=0.011), column


@pytest.mark.parametrize("method, h, mean", [("CoOp", 71.66, 70.83), ("MaPLe", 78.55, 78.27)])
def test_the_two_rules_differ_in_h_alone(method, h, mean):
    rows = [r for r in published(BASE2NEW) if r["method"] == method and r["dataset"] != "average"]
    each = [values(r["base"], r["new"]) for r in rows]
    ours, theirs = H_OF_AVERAGES.over_datasets(each), MEAN_OF_H.over_datasets(each)
    assert (round(ours.pop("H"), 2), round(theirs.pop("H"), 2)) == (h, mean)
    assert ours == theirs


def test_h_of_averages_of_seeds_is_that_of_their_means():
    seeds = [values(60.0, 40.0), values(80.0, 90.0)]
    assert H_OF_AVERAGES.over_seeds(seeds)["H"] == harmonic_mean(70.0, 65.0)
    assert MEAN.over_seeds(seeds)["H"] == (harmonic_mean(60, 40) + harmonic_mean(80, 90)) / 2


def test_a_column_that_one_dataset_lacks_has_no_average():
    each = [values(60.0, 40.0, few=50.0), values(80.0, 90.0, few=None)]
    assert by_column(each)["few"] == 50.0  # of the seeds that have it
    assert MEAN_OF_H.over_datasets(each)["few"] is None
    assert by_column([{"few": None}]) == {"few": None}


def test_a_row_is_averaged_by_the_rule_in_its_name():
    assert rule_of(H_OF_AVERAGES.name) is H_OF_AVERAGES
    assert rule_of("oxford_pets") is MEAN
