"""All names together: the same units, on demand, and silence about nothing."""

import pytest

from npt_plugin.evaluation.open_world import MEASURES
from npt_plugin.report.protocols import OPEN_WORLD
from npt_plugin.report.results import all_results
from npt_plugin.report.write import report
from npt_plugin.runs.collect import find_runs
from npt_plugin.runs.layout import Place


@pytest.fixture
def pair(write):
    """``pair("CoOp", 1, pull=120.0)``: both halves; without measures the new one has none."""

    def make(trainer, seed, **measures):
        together = {**dict.fromkeys(MEASURES, 50.0), **measures} if measures else None
        metrics = {"accuracy": 40.0, "macro_accuracy": 40.0, "open_world": together}
        place = ("oxford_pets", 16, 0.06, trainer, "cfg", seed)
        write(Place("base2new", "train_base", *place), 60.0)
        write(Place("base2new", "test_new", *place), 40.0, metrics=metrics)

    return make


def results(output):
    return {one.table: one for one in all_results(find_runs(output), open_world=True)}


def test_it_is_shown_on_demand_only(tmp_path, pair):
    pair("CoOp", 1, pull=120.0)
    assert OPEN_WORLD not in [one.table for one in all_results(find_runs(tmp_path))]
    (row,) = results(tmp_path)[OPEN_WORLD].summary
    assert row["pull"] == 120.0 and row["joint"] == 50.0 and "base" not in row


def test_differences_are_paired_by_seed(tmp_path, pair):
    for seed, (plain, ours) in enumerate([(150.0, 130.0), (160.0, 150.0)], 1):
        pair("CoOp", seed, pull=plain)
        pair("NPT_CoOp", seed, pull=ours)
    (found,) = results(tmp_path)[OPEN_WORLD].differences
    assert found["pull"] == -15.0 and found["pull_values"] == [-20.0, -10.0]


def test_runs_without_them_are_said_and_their_cells_empty(tmp_path, pair):
    pair("CoOp", 1, pull=120.0)
    pair("CoOp", 2)  # of an earlier version
    pair("MaPLe", 1)
    one = results(tmp_path)[OPEN_WORLD]
    rows = {row["trainer"]: row for row in one.summary}
    assert rows["CoOp"]["pull_values"] == [120.0] and rows["MaPLe"]["pull"] is None
    assert "Without these measures: 2 of 3 runs (CoOp, MaPLe)" in one.notes[0]


def test_a_measure_that_is_not_there_is_left_out_of_its_mean_only(tmp_path, pair):
    pair("CoOp", 1, pull=None)  # no new image was taken
    pair("CoOp", 2, pull=80.0)
    (row,) = results(tmp_path)[OPEN_WORLD].summary
    assert row["pull"] == 80.0 and row["joint_values"] == [50.0, 50.0]


def test_its_files_stand_beside_the_others(tmp_path, pair, capsys):
    pair("CoOp", 1, pull=120.0)
    plain = report(tmp_path, plots=False)
    tables = (tmp_path / "table.csv").read_text()
    assert report(tmp_path, plots=False, open_world=True).startswith(plain)
    assert (tmp_path / "table.csv").read_text() == tables
    assert (tmp_path / "open_world_table.csv").is_file()
    assert "Base and new classes together" in (tmp_path / "report.html").read_text()
    assert "pull: training images of a class" in capsys.readouterr().out
