"""Going on with a run, and what is kept of one that goes wrong."""

import json
import random

import pytest
import torch
from trainer_checks import assert_same, cut_short, learned

from npt_plugin.errors import UserError
from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import read_record
from npt_plugin.system.locks import LOCK
from npt_plugin.system.random_state import rng_state, set_rng_state
from npt_plugin.system.safe_checkpoints import read_state, write_state
from npt_plugin.trainers import checkpoints
from npt_plugin.trainers.progress_file import PREVIOUS, PROGRESS, ProgressFile, newest_progress


def test_a_run_that_goes_on_with_other_kernels_says_so(make_trainer, tmp_path, capsys):
    run = tmp_path / "run"
    trainer = make_trainer("CoOp", output=run)
    trainer.epoch = 0
    checkpoints.save_progress(trainer)
    checkpoints.resume(trainer, str(run))
    assert "Resuming with other" not in capsys.readouterr().out
    state = read_state(run / PROGRESS)
    now = state["arithmetic"]
    write_state(run / PROGRESS, {**state, "arithmetic": {**now, "kernels": "before"}})
    assert checkpoints.resume(trainer, str(run)) == 1
    said = f"Resuming with other arithmetic (kernels before -> {now['kernels']}): the same results"
    assert said in capsys.readouterr().out


def test_progress_of_version_0_1_is_read(make_trainer, tmp_path, capsys):
    run = tmp_path / "run"
    trainer = make_trainer("CoOp", output=run)
    trainer.epoch = 0
    checkpoints.save_progress(trainer)
    state = newest_progress(str(run))
    assert isinstance(state["config"], dict) and isinstance(state["rng"]["python"][1], tuple)
    del state["arithmetic"]
    write_state(run / PROGRESS, state)  # trees as they are, as it was then
    assert checkpoints.resume(trainer, str(run)) == 1
    assert "other arithmetic" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["NPT_CoOp", "NPT_MaPLe"])
@pytest.mark.parametrize("extra", [(), ("OPTIM.GNM.ENABLED", "True", "INPUT.CACHED_VIEWS", "2")])
def test_an_interrupted_run_ends_as_an_uninterrupted_one(make_trainer, tmp_path, name, extra):
    if name == "NPT_MaPLe" and extra:
        extra = extra[:2]
    options = ("OPTIM.MAX_EPOCH", "4", "TRAINER.NPT.MI.MOMENTUM", "0.5", *extra)
    whole = make_trainer(name, *options, output=tmp_path / "whole")
    whole.train()

    cut = make_trainer(name, *options, output=tmp_path / "cut")
    cut_short(cut, epoch=2)
    torch.manual_seed(99)  # whatever the process did since
    again = make_trainer(name, *options, output=tmp_path / "cut")
    again.train()
    assert_same(learned(again), learned(whole))
    first, second = (
        json.loads((tmp_path / d / "results.json").read_text())["metrics"] for d in ("whole", "cut")
    )
    assert first == second


def test_resume_refuses_another_config_and_names_the_key(make_trainer, tmp_path):
    make_trainer("CoOp", output=tmp_path / "run").train()
    with pytest.raises(UserError, match=r"OPTIM\.LR: 0\.1 -> 0\.2"):
        make_trainer("CoOp", "OPTIM.LR", "0.2", output=tmp_path / "run").train()


def test_resume_refuses_other_images_and_leaves_the_record_alone(make_trainer, tmp_path):
    make_trainer("CoOp", output=tmp_path / "run").train()
    record = tmp_path / "run" / "selection.json"
    content = json.loads(record.read_text())
    content["train"].reverse()  # as if the split had changed meanwhile
    record.write_text(json.dumps(content))
    with pytest.raises(UserError, match="began with other images"):
        make_trainer("CoOp", output=tmp_path / "run").train()
    assert json.loads(record.read_text()) == content


def test_a_damaged_progress_file_falls_back_to_the_one_before(make_trainer, tmp_path, capsys):
    make_trainer("CoOp", output=tmp_path / "run").train()
    file = tmp_path / "run" / "progress.npt"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    again = make_trainer("CoOp", output=tmp_path / "run")
    again.train()
    assert "resume training at epoch 2" in capsys.readouterr().out


def test_checkpoint_of_another_shape_is_refused_by_name(make_trainer, tmp_path):
    make_trainer("CoOp", output=tmp_path / "run").train()
    other = make_trainer("CoOp", "TRAINER.COOP.N_CTX", "5", output=tmp_path / "other")
    with pytest.raises(UserError, match=r"'ctx' has shape \(3, 64\), this run needs \(5, 64\)"):
        other.load_model(str(tmp_path / "run"), epoch=2)
    with pytest.raises(UserError, match="model.pth.tar-2"):  # says which epochs there are
        other.load_model(str(tmp_path / "run"), epoch=7)


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
        checkpoints.save_progress(trainer)
    assert (tmp_path / "run" / "progress.npt").read_bytes() == before


def test_a_run_begun_on_a_cpu_goes_on_under_a_gradient_scaler(make_trainer, tmp_path):
    """A CPU's scaler is off and has no state; that of amp on a GPU then starts afresh."""
    run = tmp_path / "run"
    trainer = make_trainer("CoOp", output=run)
    trainer.epoch = 0
    checkpoints.save_progress(trainer)
    trainer.scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    assert checkpoints.resume(trainer, str(run)) == 1
    assert trainer.scaler.get_scale() == 8.0
    checkpoints.save_progress(trainer)  # and back
    trainer.scaler = torch.amp.GradScaler("cpu", enabled=False)
    assert checkpoints.resume(trainer, str(run)) == 1


def test_going_on_on_another_device_is_said(make_trainer, tmp_path, capsys):
    run = tmp_path / "run"
    trainer = make_trainer("CoOp", output=run)
    trainer.epoch = 0
    checkpoints.save_progress(trainer)
    state = read_state(run / PROGRESS)
    now = state["arithmetic"]
    write_state(run / PROGRESS, {**state, "arithmetic": {**now, "device": "cuda"}})
    assert checkpoints.resume(trainer, str(run)) == 1
    assert "Resuming with other arithmetic (device cuda -> cpu)" in capsys.readouterr().out
    del now["device"]  # version 0.2 did not note it
    write_state(run / PROGRESS, {**state, "arithmetic": now})
    assert checkpoints.resume(trainer, str(run)) == 1
    assert "other arithmetic" not in capsys.readouterr().out


def test_a_progress_file_that_the_disk_has_stays_beside_the_newest(tmp_path, monkeypatch):
    """Epochs of less than ten seconds: the newest is whole, and one before it is certain."""
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    synced = []
    monkeypatch.setattr("os.fsync", lambda number: synced.append(number))
    file, state = ProgressFile(tmp_path, {"config": {}}), {"history": [], "rng": rng_state()}
    beside = []
    for epoch in range(1, 8):
        clock[0] += 4
        file.write({**state, "epoch": epoch})
        assert newest_progress(str(tmp_path))["epoch"] == epoch
        found = read_state(tmp_path / PREVIOUS)
        beside.append(found and found["epoch"])
    assert len(synced) == 3  # at 4, 16 and 28 seconds
    assert beside == [None, 1, 1, 1, 4, 4, 4]
    (tmp_path / PROGRESS).write_bytes(b"damaged")
    assert newest_progress(str(tmp_path))["epoch"] == 4


def test_what_an_earlier_process_left_is_not_taken_for_certain(tmp_path):
    """Its newest may not be on the disk: it does not take the place of one that is."""
    file, state = ProgressFile(tmp_path, {"config": {}}), {"history": [], "rng": rng_state()}
    for epoch in (1, 2, 3):  # the second and third are not waited for
        file.write({**state, "epoch": epoch})
    assert read_state(tmp_path / PREVIOUS)["epoch"] == 1
    ProgressFile(tmp_path, {"config": {}}).write({**state, "epoch": 4})
    assert read_state(tmp_path / PREVIOUS)["epoch"] == 1
    assert newest_progress(str(tmp_path))["epoch"] == 4


def test_a_progress_file_gives_back_what_it_was_given(tmp_path):
    history = [{"epoch": 1, "lr": 0.1 + 0.2, "loss": 1 / 3, "nc": {"nc1": 1e-300}}]
    config = {"A": {"B": [1, None, "x", True]}}
    state = {"history": history, "rng": rng_state()}
    ProgressFile(tmp_path, {"config": config}).write(state)
    found = newest_progress(str(tmp_path))
    assert found["config"] == config and found["history"] == history
    before = random.random()
    set_rng_state(found["rng"])
    assert random.random() == before
