"""Base and new half make a unit."""

from npt_plugin.report.protocols.base_to_new import BaseToNew
from npt_plugin.report.results import results_of
from npt_plugin.runs.collect import find_runs
from npt_plugin.runs.layout import Place

TABLE = BaseToNew()


def results(output):
    return results_of(TABLE, find_runs(output))


def test_base_to_new_needs_both_halves(tmp_path, write):
    place = ("oxford_pets", 16, 0.06, "CoOp", "cfg", 1)
    write(Place("base2new", "train_base", *place), 60.0)
    assert results(tmp_path) is None
    write(Place("base2new", "test_base", *place), 60.0)  # of SUB=base: no part of the table
    assert results(tmp_path) is None
    write(Place("base2new", "test_new", *place), 40.0)
    (row,) = results(tmp_path).summary
    assert (row["base"], row["new"], row["H"]) == (60.0, 40.0, 48.0)
    assert row["few"] is None and row["many"] == 90.0
