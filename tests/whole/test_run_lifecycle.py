"""Records from start to end, the lock, signals, broken disks, losses that blow up."""

import errno
import os
import signal
import time

import pytest
import torch

from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import read_record
from npt_plugin.runs.recorder import recorded
from npt_plugin.system.locks import LOCK
from npt_plugin.trainers.checkpoints import save_progress


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


def test_looking_at_the_collapse_changes_nothing(make_trainer, tmp_path):
    records = []
    for every in ("0", "1"):
        trainer = make_trainer("CoOp", "TEST.NC_PER_EPOCH", every, output=tmp_path / every)
        trainer.train()
        records.append(read_record(tmp_path / every / RESULTS))
    assert records[0].metrics == records[1].metrics
    assert records[0].config_hash == records[1].config_hash


def test_a_failure_is_recorded_with_its_reason(make_trainer, tmp_path):
    trainer = make_trainer("CoOp", output=tmp_path / "run")
    with pytest.raises(RuntimeError), recorded(trainer):
        raise RuntimeError("the roof is on fire")
    record = read_record(tmp_path / "run" / RESULTS)
    assert record.status == "failed" and "roof" in record.reason


def test_a_loss_that_blows_up_at_once_does_not_speak_of_a_checkpoint(train_here, tmp_path):
    out = tmp_path / "out"
    words = ["--trainer", "CoOp", "--seed", "1", "--output-dir", str(out)]
    done = train_here(*words, options=("OPTIM.LR", "1e30"))
    assert done.returncode == 1 and "nothing is kept" in done.stderr
    assert not (out / "progress.npt").exists()


def test_a_loss_that_blows_up_is_one_sentence_and_keeps_the_checkpoint(train_here, tmp_path):
    """Epoch 1 runs at a learning rate of 0, so only epoch 2 goes wrong."""
    out = tmp_path / "out"
    words = ["--trainer", "CoOp", "--seed", "1", "--output-dir", str(out)]
    options = (
        "OPTIM.LR",
        "1e30",
        "OPTIM.WARMUP_EPOCH",
        "1",
        "OPTIM.WARMUP_TYPE",
        "constant",
        "OPTIM.WARMUP_CONS_LR",
        "0.0",
    )
    done = train_here(*words, options=options)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    (line,) = [x for x in done.stderr.splitlines() if x.startswith("error: ")]
    assert "epoch 2" in line and "The last good epoch is kept in" in line and "progress" in line
    record = read_record(out / RESULTS)
    assert record.status == "failed" and "FloatingPointError" in record.reason
    assert (out / "progress.npt").exists() and not (out / LOCK).exists()


def test_prompts_that_are_not_finite_are_never_saved(make_trainer, tmp_path):
    trainer = make_trainer("CoOp", output=tmp_path / "run")
    trainer.train()
    before = (tmp_path / "run" / "progress.npt").read_bytes()
    with torch.no_grad():
        trainer.model.prompt_learner.ctx[0, 0] = float("nan")
    with pytest.raises(FloatingPointError, match="prompt_learner.ctx is not finite"):
        save_progress(trainer)
    assert (tmp_path / "run" / "progress.npt").read_bytes() == before


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


def test_a_folder_that_cannot_be_made_is_one_sentence(train_here, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    done = train_here("--trainer", "CoOp", "--output-dir", str(tmp_path / "file" / "out"))
    assert done.returncode == 2 and "Cannot write" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("after", [0, 3])
def test_a_full_disk_is_one_sentence_and_leaves_no_half_file(
    train_here, tmp_path, monkeypatch, after
):
    calls, fsync = [], os.fsync

    def full(handle):
        calls.append(handle)
        if len(calls) > after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", full)
    done = train_here("--trainer", "CoOp", "--seed", "1", "--output-dir", str(tmp_path / "out"))
    assert done.returncode == 2 and "No space left" in done.stderr
    assert "Traceback" not in done.stderr
    assert not [p for p in (tmp_path / "out").rglob(".*.*") if p.is_file()]


def test_sigterm_ends_a_real_run_with_143(start_train_py, tmp_path):
    out = tmp_path / "out"
    words = ["--trainer", "CoOp", "--seed", "1", "--output-dir", str(out)]
    long = ("OPTIM.MAX_EPOCH", "400")
    process = start_train_py(*words, options=long)
    limit = time.time() + 60
    while not (out / "progress.npt").exists() and process.poll() is None and time.time() < limit:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 143, err
    assert err.strip().splitlines()[-1] == "error: interrupted by SIGTERM"
    record = read_record(out / RESULTS)
    assert record.status == "failed" and "SIGTERM" in record.reason and record.history
    assert not (out / LOCK).exists()
