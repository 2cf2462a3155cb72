"""Every record below a folder is found, whatever stands in its path."""

import shutil
from dataclasses import replace

import pytest

from npt_plugin.errors import UserError
from npt_plugin.runs.collect import find_runs
from npt_plugin.runs.layout import Place
from npt_plugin.runs.record import read_record, write_record

HERE = Place("base2new", "train_base", "pets", 16, 1.0, "CoOp", "cfg", 1)


@pytest.fixture
def found(trained_run, tmp_path):
    """A real record in the layout, in an old spelling of it, elsewhere, and one that failed."""
    record = read_record(trained_run / "results.json")
    write_record(HERE.folder(tmp_path), record)
    old = str(HERE.folder(tmp_path)).replace("ratio_1", "ratio_1.0")
    write_record(old, record)
    write_record(tmp_path / "try", record)
    write_record(tmp_path / "broken", replace(record, status="failed", reason="no"))
    return find_runs(tmp_path)


def test_runs_are_sorted_by_where_they_stand(found):
    assert len(found.completed) == 2
    assert all(run.place == HERE for run in found.completed)
    assert [found.name(run) for run in found.elsewhere] == ["try"]
    assert [found.name(run) for run in found.unfinished] == ["broken"]


def test_todays_spelling_is_known(found):
    canonical = {run.spelling[1]: run.canonical for run in found.completed}
    assert canonical == {"ratio_1": True, "ratio_1.0": False}


def test_a_damaged_record_is_named(found, trained_run, tmp_path):
    shutil.copytree(trained_run, tmp_path / "late")
    (tmp_path / "late/results.json").write_text("{")
    with pytest.raises(UserError, match="late/results.json cannot be read"):
        find_runs(tmp_path)


def test_a_folder_that_does_not_exist_holds_nothing(tmp_path):
    found = find_runs(tmp_path / "absent")
    assert not (found.completed or found.elsewhere or found.unfinished)
