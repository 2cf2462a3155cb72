"""The record of a run from its start to its end, and results that stay as they are."""

import os
import signal
import types
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from npt_plugin.errors import UserError
from npt_plugin.runs import recorder
from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import read_record, write_record
from npt_plugin.runs.recorder import describe_run, recorded, refuse_other_results
from npt_plugin.system.signals import Stopped, stop_signals
from npt_plugin.trainers.loaders import FixedStepsLoader


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


def test_who_insists_on_an_end_does_not_cut_its_record_short(make_trainer, tmp_path, monkeypatch):
    trainer, write = make_trainer("CoOp", output=tmp_path / "run"), recorder.write_record

    def interrupted(folder, record):
        if record.status == "failed":
            signal.raise_signal(signal.SIGINT)
        write(folder, record)

    monkeypatch.setattr(recorder, "write_record", interrupted)
    with pytest.raises(Stopped), stop_signals(), recorded(trainer):
        signal.raise_signal(signal.SIGINT)
    record = read_record(tmp_path / "run" / RESULTS)
    assert (record.status, record.reason) == ("failed", "Stopped: interrupted by SIGINT")


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


@pytest.fixture
def trainer(make_cfg, tmp_path):
    """The part of a trainer that its record is made of: seven batches an epoch."""
    model = types.SimpleNamespace(learned=lambda: {"ctx": torch.zeros(3, 4), "b": torch.zeros(2)})
    return types.SimpleNamespace(
        cfg=make_cfg("CoOp", "DATASET.IMBALANCE.RATIO", "0.25"),
        output_dir=str(tmp_path / "run"),
        classnames=["a", "b"],
        class_counts=torch.tensor([4, 1]),
        precision=types.SimpleNamespace(name="fp32"),
        model=model,
        optim=object(),
        train_loader_x=range(7),
        divergence=lambda: None,
    )


def test_a_record_says_what_was_asked_for_and_what_was_found(trainer):
    record = describe_run(trainer)
    assert (record.status, record.trainer, record.dataset) == ("started", "CoOp", "OxfordPets")
    assert (record.shots, record.seed, record.ratio, record.epochs) == (4, 0, 0.25, 2)
    assert record.class_counts == [4, 1] and record.trainable_parameters == 14
    assert record.config["OPTIM"]["LR"] == 0.1 and record.working_dir == os.getcwd()
    assert (record.model_dir, record.tested_epoch) == ("", 2)


def test_steps_are_the_fixed_ones_or_all_batches_of_all_epochs(trainer):
    assert describe_run(trainer).steps == 7 * 2
    trainer.train_loader_x = FixedStepsLoader(range(7), steps=9, epochs=2)
    assert describe_run(trainer).steps == 9
    trainer.optim = None  # zero-shot: nothing learns
    assert describe_run(trainer).steps == 0
    trainer.model_dir, trainer.tested_epoch = "elsewhere", 5
    record = describe_run(trainer)  # tests only: whatever was trained was trained elsewhere
    assert (record.steps, record.model_dir, record.tested_epoch) == (None, "elsewhere", 5)


def test_the_steps_recorded_are_the_steps_taken(make_trainer, tmp_path):
    options = ("DATASET.IMBALANCE.RATIO", "0.5", "DATALOADER.TRAIN_X.BATCH_SIZE", "2")
    trainer = make_trainer("CoOp", *options, output=tmp_path / "run")
    taken, step = [], trainer.forward_backward
    trainer.forward_backward = lambda batch: (taken.append(1), step(batch))[1]
    trainer.train()
    assert read_record(tmp_path / "run" / RESULTS).steps == len(taken) == 2 * (9 // 2)


def test_a_mistake_of_the_user_is_recorded_as_its_sentence(trainer):
    with pytest.raises(UserError), recorded(trainer):
        raise UserError("There is no such class.")
    record = read_record(Path(trainer.output_dir) / RESULTS)
    assert (record.status, record.reason) == ("failed", "There is no such class.")
    with pytest.raises(KeyboardInterrupt), recorded(trainer):
        raise KeyboardInterrupt
    assert "KeyboardInterrupt" in read_record(Path(trainer.output_dir) / RESULTS).reason


def test_without_a_folder_nothing_is_written(trainer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trainer.output_dir = ""
    with recorded(trainer):
        pass
    assert not any(tmp_path.iterdir())


def test_a_full_disk_does_not_hide_the_error_itself(trainer, monkeypatch):
    with pytest.raises(ZeroDivisionError), recorded(trainer):

        def full(folder, record):
            raise UserError("No space left on device")

        monkeypatch.setattr(recorder, "write_record", full)
        raise ZeroDivisionError


def test_results_are_refused_exactly_for_a_key_that_counts(trainer, make_cfg, tmp_path):
    folder = ("OUTPUT_DIR", trainer.output_dir)

    def other(*options):
        return make_cfg("CoOp", "DATASET.IMBALANCE.RATIO", "0.25", *folder, *options)

    refuse_other_results(other())  # nothing is there
    with recorded(trainer):
        pass
    refuse_other_results(other("OPTIM.LR", "0.2"))  # started, not completed
    metrics = {"accuracy": 50.0, "macro_accuracy": 50.0}
    write_record(
        trainer.output_dir, replace(describe_run(trainer), status="completed", metrics=metrics)
    )
    refuse_other_results(other("TRAIN.PRINT_FREQ", "3"))  # changes no number
    with pytest.raises(UserError, match=r"OPTIM\.LR: 0\.1 -> 0\.2.*another --output-dir"):
        refuse_other_results(other("OPTIM.LR", "0.2"))
