"""A small table of the form of the published ones, and records of its runs that never ran."""

from __future__ import annotations

import pytest
from run_records import record

from npt_plugin.reproduction import figures
from npt_plugin.reproduction.tables import PublishedTable
from npt_plugin.runs.layout import Place
from npt_plugin.runs.record import write_record

TABLE = PublishedTable(
    "two",
    "Two datasets",
    protocol="base2new",
    datasets=("dtd", "eurosat"),
    methods={"CLIP": "ZeroshotCLIP", "CoOp": "CoOp"},
    figures="made_up.csv",
    config="cfg",
    spread={"base": 1.0, "new": 2.0},
    known={"eurosat": {"new": 3.9}},
    outside=0.2,
    note="Made up.",
)
PRESETS = {name: {"all": {"OPTIM.LR": 0.002}} for name in ("ZeroshotCLIP", "CoOp")}

ROWS = [
    ("CLIP", "dtd", 50.0, 60.0, 54.55, 1),
    ("CLIP", "eurosat", 60.0, 60.0, 60.0, 1),
    ("CLIP", "average", 55.0, 60.0, 57.39, 1),
    ("CoOp", "dtd", 80.0, 40.0, 53.33, 3),
    ("CoOp", "eurosat", 90.0, 60.0, 72.0, 3),
    ("CoOp", "average", 85.0, 50.0, 62.96, 3),
    ("Other", "average", 1.0, 1.0, 1.0, 3),
]


@pytest.fixture
def table(monkeypatch) -> PublishedTable:
    """The table; its published numbers are those of ``ROWS``."""
    names = ("method", "dataset", "base", "new", "H", "seeds")
    rows = [{**dict(zip(names, row, strict=True)), "source": "nowhere"} for row in ROWS]
    monkeypatch.setattr(figures, "published", lambda name: rows)
    return TABLE


@pytest.fixture
def jobs(table, tmp_path):
    """All jobs of the table."""
    return table.grid("", str(tmp_path)).jobs()


@pytest.fixture
def presets():
    """The presets of the table."""
    return PRESETS


@pytest.fixture
def put(tmp_path):
    """``put("dtd", "CoOp", 1, base, new)`` writes both records of a run."""

    def call(dataset, trainer, seed, base, new, lr=0.002, **more):
        for part, accuracy in (("train_base", base), ("test_new", new)):
            place = Place("base2new", part, dataset, 16, 1.0, trainer, "cfg", seed)
            metrics = {"accuracy": float(accuracy), "macro_accuracy": float(accuracy)}
            given = {
                "trainer": trainer,
                "dataset": dataset,
                "seed": seed,
                "metrics": metrics,
                "config": {"OPTIM": {"LR": lr}},
                **more,
            }
            write_record(place.folder(tmp_path), record(**given))

    return call


@pytest.fixture
def published_runs(put):
    """Runs of three seeds whose means are the published ones."""
    put("dtd", "ZeroshotCLIP", 1, 50, 60)
    put("eurosat", "ZeroshotCLIP", 1, 60, 60)
    for seed, off in ((1, -1), (2, 0), (3, 1)):
        put("dtd", "CoOp", seed, 80 + off, 40 + off)
        put("eurosat", "CoOp", seed, 90 + off, 60 + off)
