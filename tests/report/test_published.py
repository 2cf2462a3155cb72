"""Published numbers are consistent, and beside ours of the same rule only."""

import pytest

from npt_plugin.evaluation.averages import harmonic_mean
from npt_plugin.report.averaging import H_OF_AVERAGES, MEAN_OF_H
from npt_plugin.report.protocols import BASE_TO_NEW
from npt_plugin.report.published import (
    AVERAGES,
    BASE2NEW,
    IMBALANCED,
    balanced_rows,
    balanced_table,
    imbalanced_table,
    protocol_differences,
    published,
)
from npt_plugin.report.results import results_of
from npt_plugin.runs.collect import find_runs


def test_the_published_tables_are_consistent():
    rows = published(BASE2NEW)
    assert len(rows) == 48 and {r["method"] for r in rows} == {"CLIP", "CoOp", "CoCoOp", "MaPLe"}
    for r in rows:
        assert r["H"] == pytest.approx(harmonic_mean(r["base"], r["new"]), abs=0.02), r
    assert {r["tau"] for r in published(IMBALANCED)} == {1.0, 0.25, 0.06}


def test_the_list_of_averages_is_of_h_of_the_averages():
    rows = published(AVERAGES)
    assert len(rows) == 30
    for r in rows:
        fits = r["H"] == pytest.approx(harmonic_mean(r["base"], r["new"]), abs=0.02)
        assert fits != ("not the harmonic mean" in r["note"]), r


def test_both_lists_have_the_same_averages():
    averages = {r["method"]: r for r in published(AVERAGES)}
    for r in (r for r in published(BASE2NEW) if r["dataset"] == "average"):
        assert [r[c] for c in ("base", "new", "H")] == [
            averages[r["method"]][c] for c in ("base", "new", "H")
        ]


@pytest.fixture
def as_printed(tmp_path, write_pair):
    """Runs whose accuracies are those of the papers, one seed."""
    for row in published(BASE2NEW):
        if row["dataset"] != "average" and row["method"] in ("CoOp", "MaPLe"):
            write_pair(row["dataset"], row["method"], 1, row["base"], row["new"], ratio=1.0)
    return results_of(BASE_TO_NEW, find_runs(tmp_path))


def test_ours_stand_beside_published_averages_of_the_same_rule(as_printed):
    rows = [r for r in balanced_rows(as_printed.summary) if r["dataset"] == H_OF_AVERAGES.name]
    h = {r["method"]: round(r["H"], 2) for r in rows}
    assert h["CoOp (re-run here)"] == h["CoOp (published)"] == 71.66
    assert h["MaPLe (re-run here)"] == h["MaPLe (published)"] == 78.55
    assert not any(r["dataset"] == MEAN_OF_H.name for r in balanced_rows(as_printed.summary))
    table = {line[0]: line for line in imbalanced_table(as_printed.summary)[1]}
    assert table["MaPLe (published)"][1] == "78.25"
    assert table["MaPLe (re-run here)"][1:3] == ["78.27", "-"]
    assert table["CoOp (re-run here)"][1] == "70.83"


def test_ours_on_imbalanced_data_are_not_beside_balanced_ones(tmp_path, write_pair):
    for dataset in ("dtd", "eurosat"):
        write_pair(dataset, "CoOp", 1, 60.0, 40.0, ratio=0.06)
    summary = results_of(BASE_TO_NEW, find_runs(tmp_path)).summary
    _, lines = balanced_table(balanced_rows(summary))
    assert not any("re-run here" in line[1] for line in lines)
    assert {line[0] for line in lines} == {"dtd", "eurosat", H_OF_AVERAGES.name}
    table = {line[0]: line for line in imbalanced_table(summary)[1]}
    assert table["CoOp (re-run here)"][1:4] == ["-", "-", "48.00"]


def test_zero_shot_is_beside_published_numbers_once(tmp_path, write_pair):
    write_pair("dtd", "ZeroshotCLIP", 1, 53.0, 60.0, ratio=0.06)
    for ratio in (0.06, 0.25, 1.0):
        write_pair("dtd", "CoOp", 1, 60.0, 40.0, ratio=ratio)
    rows = balanced_rows(results_of(BASE_TO_NEW, find_runs(tmp_path)).summary)
    ours = [r["method"] for r in rows if "re-run here" in r["method"]]
    assert ours == ["ZeroshotCLIP (re-run here)", "CoOp (re-run here)"]


def test_what_differs_is_said(as_printed, tmp_path, write_pair):
    lines = protocol_differences(as_printed.units)
    assert "Backbone: published ViT-B/16; here Tiny." in lines
    assert not any(line.startswith("Averages") for line in lines)
    write_pair("embedded_objects", "CoOp", 1, 60.0, 40.0)
    lines = protocol_differences(results_of(BASE_TO_NEW, find_runs(tmp_path)).units)
    assert any("here over 12, of which 11" in line for line in lines)
    assert "Datasets: embedded_objects has no published number." in lines
