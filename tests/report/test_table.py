"""Mean, deviation and n over seeds; averages over the datasets and seeds that all have."""

import json
import math

import pytest

from npt_plugin.evaluation.averages import harmonic_mean
from npt_plugin.report.averaging import H_OF_AVERAGES, MEAN_OF_H
from npt_plugin.report.protocols import BASE_TO_NEW
from npt_plugin.report.results import results_of
from npt_plugin.report.table import add_averages, summarise
from npt_plugin.runs.collect import find_runs
from npt_plugin.runs.units import Key

COLUMNS = ("base", "new", "H")


def seeds(**pairs):
    """``seeds(s1=(base, new))``."""
    return {
        int(name[1:]): {"base": b, "new": n, "H": harmonic_mean(b, n)}
        for name, (b, n) in pairs.items()
    }


def test_mean_sd_n_and_h_are_those_of_the_seeds():
    rows = {Key(0.06, "pets", "CoOp", "a"): seeds(s0=(60.0, 40.0), s1=(80.0, 80.0))}
    (row,) = summarise(BASE_TO_NEW, rows, COLUMNS)
    assert row["n"] == 2 and row["seeds"] == [0, 1]
    assert row["base"] == 70.0 and row["base_sd"] == pytest.approx(math.sqrt(200))
    assert row["H"] == (48 + 80) / 2  # of each seed's own pair, not of the means
    assert row["H_values"] == [48.0, 80.0]


def test_one_seed_has_no_deviation():
    rows = {Key(0.06, "pets", "CoOp", "a"): seeds(s1=(60.0, 40.0))}
    (row,) = summarise(BASE_TO_NEW, rows, COLUMNS)
    assert row["base_sd"] is None
    json.dumps(row, allow_nan=False)


def test_averages_take_only_seeds_that_every_dataset_has():
    rows = {
        Key(0.06, "pets", "CoOp", "a"): seeds(s1=(10, 50), s2=(20, 50)),
        Key(0.06, "cars", "CoOp", "a"): seeds(s2=(40, 50), s3=(30, 50)),
    }
    found = add_averages(rows, BASE_TO_NEW.rules)
    for rule in (H_OF_AVERAGES, MEAN_OF_H):
        key = Key(0.06, rule.name, "CoOp", "a", 16, ("cars", "pets"))
        assert set(found[key]) == {2} and found[key][2]["base"] == 30


def test_the_average_row_holds_h_of_its_own_base_and_new():
    rows = {
        Key(0.06, "pets", "CoOp", "a"): seeds(s1=(90, 10), s2=(70, 60)),
        Key(0.06, "cars", "CoOp", "a"): seeds(s1=(50, 80), s2=(40, 95)),
    }
    summary = summarise(BASE_TO_NEW, add_averages(rows, BASE_TO_NEW.rules), COLUMNS)
    table = {row["dataset"]: row for row in summary}
    row = table[H_OF_AVERAGES.name]
    assert row["H"] == pytest.approx(harmonic_mean(row["base"], row["new"]), rel=1e-12)
    row = table[MEAN_OF_H.name]
    assert row["H"] == pytest.approx((table["pets"]["H"] + table["cars"]["H"]) / 2, rel=1e-12)
    assert [r["dataset"] for r in summary] == ["cars", "pets", H_OF_AVERAGES.name, MEAN_OF_H.name]


def test_a_dataset_with_a_config_of_its_own_is_in_the_average():
    """CoOp's published config for ImageNet trains fewer epochs than that of the others."""
    rows = {
        Key(1.0, "dtd", "CoOp", "vit_b16_ctxv1"): seeds(s1=(60, 40)),
        Key(1.0, "imagenet", "CoOp", "vit_b16_ep50_ctxv1"): seeds(s1=(80, 80)),
    }
    (average,) = (k for k in add_averages(rows, [MEAN_OF_H]) if k.over)
    assert average.over == ("dtd", "imagenet")
    assert average.config == "vit_b16_ctxv1, vit_b16_ep50_ctxv1"


def test_two_configs_on_one_dataset_are_two_averages():
    rows = {
        Key(1.0, dataset, "CoOp", config): seeds(s1=(60, 40))
        for dataset in ("dtd", "eurosat")
        for config in ("a", "b")
    }
    averages = [k for k in add_averages(rows, [MEAN_OF_H]) if k.over]
    assert [k.config for k in averages] == ["a", "b"]


def test_one_dataset_has_no_average():
    rows = {Key(0.06, "pets", "CoOp", "a"): seeds(s1=(90, 10))}
    assert add_averages(rows, BASE_TO_NEW.rules) == rows


def test_other_shots_are_other_rows(tmp_path, write_pair):
    write_pair("pets", "CoOp", 1, 60.0, 40.0, shots=16)
    write_pair("pets", "CoOp", 1, 50.0, 40.0, shots=4)
    summary = results_of(BASE_TO_NEW, find_runs(tmp_path)).summary
    assert {(row["shots"], row["base"]) for row in summary} == {(16, 60.0), (4, 50.0)}


def test_runs_that_did_not_complete_are_not_counted(tmp_path, write_pair):
    write_pair("pets", "CoOp", 1, 60.0, 40.0)
    write_pair("pets", "CoOp", 2, 0.0, 0.0, status="started")
    (row,) = results_of(BASE_TO_NEW, find_runs(tmp_path)).summary
    assert row["n"] == 1
