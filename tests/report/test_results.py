"""The results of every protocol that was run, and of no other."""

from npt_plugin.report.protocols import TABLES
from npt_plugin.report.results import all_results, results_of
from npt_plugin.runs.collect import find_runs
from npt_plugin.runs.layout import Place


def test_only_protocols_that_were_run(runs, write):
    (made,) = all_results(find_runs(runs))
    assert made.table is TABLES[0] and made.compared == ("base", "new", "H")
    write(Place("few_shot", "", "dtd", 4, 1.0, "CoOp", "cfg", 1), 50.0)
    assert [one.table for one in all_results(find_runs(runs))] == [*TABLES[:2]]


def test_nothing_is_none(tmp_path):
    assert results_of(TABLES[0], find_runs(tmp_path)) is None
    assert all_results(find_runs(tmp_path / "absent")) == []
