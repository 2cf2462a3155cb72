"""The record of a run from its start to its end, and results that stay as they are."""

import pytest

from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import read_record
from npt_plugin.runs.recorder import recorded


def test_a_run_says_started_then_completed_with_everything(make_trainer, tmp_path):
    trainer = make_trainer("NPT_CoOp", "TEST.NC_PER_EPOCH", "1", output=tmp_path / "run")
    with recorded(trainer):
        assert read_record(tmp_path / "run" / RESULTS).status == "started"
        trainer.train()
    record = read_record(tmp_path / "run" / RESULTS)
    assert record.status == "completed" and record.selection == "last_step"
    assert record.tested_epoch == 2 and record.peak_memory["process_mib"] > 50
    assert {"torch", "framework", "git", "cpu"} <= record.versions.keys()
    assert record.versions["kernels"] in ("onednn", "plain")
    assert record.class_counts == [4, 4, 4] and len(record.class_names) == 3
    assert [h["epoch"] for h in record.history] == [1, 2]
    assert {"lr", "loss", "acc", "ce", "lc", "mi", "nc"} <= record.history[0].keys()
    assert [h["lr"] for h in record.history] == pytest.approx([0.1, 0.05])  # cosine
    last = record.history[-1]["nc"]
    assert last["accuracy"] == record.metrics["accuracy"]
    assert last["nc3_distance"] == record.metrics["nc"]["nc3_distance"]


def test_a_failure_is_recorded_with_its_reason(make_trainer, tmp_path):
    trainer = make_trainer("CoOp", output=tmp_path / "run")
    with pytest.raises(RuntimeError), recorded(trainer):
        raise RuntimeError("the roof is on fire")
    record = read_record(tmp_path / "run" / RESULTS)
    assert record.status == "failed" and "roof" in record.reason


def test_results_of_another_config_are_not_overwritten(train_here, tmp_path):
    out = tmp_path / "out"
    words = ["--trainer", "CoOp", "--seed", "1", "--output-dir", str(out)]
    assert train_here(*words).returncode == 0
    before = (out / RESULTS).read_bytes()
    done = train_here(
        *words,
        "--eval-only",
        "--model-dir",
        str(out),
        "--load-epoch",
        "2",
        options=("DATASET.SUBSAMPLE_CLASSES", "new"),
    )
    assert done.returncode == 2 and "SUBSAMPLE_CLASSES: base -> new" in done.stderr
    assert (out / RESULTS).read_bytes() == before
