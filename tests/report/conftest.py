"""Records of runs on disk, without the runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from run_records import record

from npt_plugin.runs.layout import Place
from npt_plugin.runs.record import Record, write_record


def record_of(place: Place, accuracy: float, **more) -> Record:
    """The record of a run that stands at ``place``."""
    metrics = {"accuracy": accuracy, "macro_accuracy": accuracy, "many": 90.0, "few": None}
    given = {
        "trainer": place.trainer,
        "dataset": place.dataset,
        "seed": place.seed,
        "ratio": place.ratio,
        "shots": place.shots,
        "backbone": "Tiny",
        "thresholds": {"many_above": 8.0, "few_below": 3.2},
        "metrics": metrics,
        **more,
    }
    return record(**given)


@pytest.fixture
def write(tmp_path):
    """``write(place, accuracy, spelled="ratio_1.0", key=value)`` writes a record: its folder."""

    def call(place: Place, accuracy: float, spelled: str = "", **more) -> Path:
        folder = place.folder(tmp_path)
        if spelled:
            folder = Path(str(folder).replace(f"ratio_{place.ratio:g}", spelled))
        write_record(folder, record_of(place, accuracy, **more))
        return folder

    return call


@pytest.fixture
def write_pair(write):
    """``write_pair("oxford_pets", "CoOp", 1, base, new)``: both halves of a base-to-new run."""

    def call(dataset, trainer, seed, base, new, ratio=0.06, shots=16, config="cfg", **more):
        for part, accuracy in (("train_base", base), ("test_new", new)):
            place = Place("base2new", part, dataset, shots, ratio, trainer, config, seed)
            write(place, accuracy, **more)

    return call


@pytest.fixture
def runs(tmp_path, write_pair):
    """Zero-shot CLIP, CoOp and NPT_CoOp on one dataset, three seeds."""
    write_pair("oxford_pets", "ZeroshotCLIP", 1, 71.0, 60.0)
    for trainer, bases in (("CoOp", (70, 72, 74)), ("NPT_CoOp", (73, 74, 79))):
        for seed, base in enumerate(bases, 1):
            write_pair("oxford_pets", trainer, seed, float(base), 60.0)
    return tmp_path
