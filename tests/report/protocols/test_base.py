"""What all tables share."""

from pathlib import Path

import pytest
from run_records import record

from npt_plugin.report.protocols import TABLES
from npt_plugin.report.protocols.base import accuracy, by_frequency
from npt_plugin.runs.collect import Run
from npt_plugin.runs.layout import Place
from npt_plugin.runs.units import Key, Unit


def test_every_table_writes_files_of_its_own():
    assert len({table.prefix for table in TABLES}) == len({table.title for table in TABLES}) == 5


@pytest.mark.parametrize("protocol, part", [("base2new", "train_base"), ("few_shot", "")])
def test_a_run_is_in_one_table_only(protocol, part):
    place = Place(protocol, part, "dtd", 16, 1.0, "CoOp", "cfg", 1)
    assert sum(table.part(place) is not None for table in TABLES) == 1


def test_accuracies_of_runs_and_groups_that_are_not_there_are_none():
    metrics = {"accuracy": 50.0, "macro_accuracy": 45.0, "many": 60.0}
    unit = Unit(Key(1.0, "dtd", "CoOp", "cfg"), 1, {"new": Run(Path("x"), record(metrics=metrics))})
    assert accuracy(unit, "new") == 50.0 and accuracy(unit, "base") is None
    assert by_frequency(metrics) == {"macro": 45.0, "many": 60.0, "medium": None, "few": None}
