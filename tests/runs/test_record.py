"""The record of a run: its schema, and what is neither written nor read."""

import dataclasses
import json
from types import SimpleNamespace

import pytest

from npt_plugin.errors import UserError
from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import Record, is_completed, problems_of, read_record, write_record
from npt_plugin.runs.recorder import refuse_other_results


def started(**more):
    return {
        "schema": 1,
        "status": "started",
        "trainer": "CoOp",
        "dataset": "OxfordPets",
        "ratio": 1.0,
        "classes": "all",
        "seed": 0,
        "config": {},
        "config_hash": "x",
        **more,
    }


def completed(**more):
    metrics = {"accuracy": 50.0, "macro_accuracy": 49.0}
    return {
        **started(),
        "status": "completed",
        "metrics": metrics,
        "epochs": 2,
        "shots": 16,
        "selection": "last_step",
        **more,
    }


def test_the_schema_accepts_whole_records_and_names_what_is_wrong():
    assert problems_of(started()) == [] and problems_of(completed(later_key=1)) == []
    assert problems_of([]) == ["it holds a list, not an object"]
    assert "schema is 7" in problems_of(started(schema=7))[0]
    assert "'over'" in problems_of(started(status="over"))[0]
    assert problems_of(completed(seed=True)) == ["'seed' is a bool, not int"]
    impossible = completed(metrics={"accuracy": 101, "macro_accuracy": 1})
    assert "accuracy is 101" in problems_of(impossible)[0]
    for key in completed():
        broken = completed()
        del broken[key]
        assert problems_of(broken), key


def test_only_results_wait_for_the_disk(tmp_path, monkeypatch):
    """Of a run that has started a crash of the machine takes nothing; runs of a sweep are short."""
    waited = []
    monkeypatch.setattr("os.fsync", waited.append)
    write_record(tmp_path, Record(**started()))
    assert waited == [] and read_record(tmp_path / RESULTS).status == "started"
    write_record(tmp_path, Record(**completed()))
    assert len(waited) == 1
    write_record(tmp_path, Record(**started(status="failed")))
    assert len(waited) == 2


def test_a_record_that_breaks_the_schema_is_neither_written_nor_read(tmp_path):
    with pytest.raises(ValueError, match="'over'"):
        write_record(tmp_path, Record(**started(status="over")))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / RESULTS).write_text(json.dumps(completed(metrics=None)))
    with pytest.raises(UserError, match="metrics"):
        read_record(tmp_path / RESULTS)


def test_a_record_comes_back_as_it_was_written_and_keys_of_later_versions_are_left_out(tmp_path):
    record = Record(**completed(steps=7, tested_epoch=None, class_counts=[3, 1]))
    write_record(tmp_path, record)
    assert read_record(tmp_path / RESULTS) == record and is_completed(tmp_path)
    held = json.loads((tmp_path / RESULTS).read_text())
    assert next(iter(held)) == "schema" and "tested_epoch" not in held
    (tmp_path / RESULTS).write_text(json.dumps({**held, "later_key": 1}))
    assert read_record(tmp_path / RESULTS) == record


def test_a_field_of_another_type_is_named_whatever_the_field(tmp_path):
    for field in dataclasses.fields(Record):
        if field.name not in ("schema", "status"):
            (problem,) = problems_of(started(**{field.name: object()}))
            assert problem.startswith(f"{field.name!r} is a object, not ")


def test_a_damaged_record_is_said_before_the_run_is_done_again(tmp_path, capsys):
    (tmp_path / RESULTS).write_text('{"schema": 1, "sta')
    cfg = SimpleNamespace(OUTPUT_DIR=str(tmp_path))
    refuse_other_results(cfg)
    assert "cannot be read as a results file" in (said := capsys.readouterr().out)
    assert said.strip().endswith("The run is done again.")
    (tmp_path / RESULTS).unlink()
    refuse_other_results(cfg)
    assert capsys.readouterr().out == ""
