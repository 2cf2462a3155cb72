"""The runs of a job, and which of them are there with the settings asked for."""

from dataclasses import replace

import pytest

from npt_plugin.errors import UserError
from npt_plugin.registration import register_all
from npt_plugin.runs.config_tree import config_as_dict
from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import Record, read_record, write_record
from npt_plugin.runs.settings import build_cfg
from npt_plugin.sweep import job as job_module
from npt_plugin.sweep.job import Job, run_job


def write_pair(output, dataset, trainer, seed, base, new, ratio=0.06, status="completed", shots=16):
    job = Job(dataset, trainer, "cfg", seed, ratio, shots, output=str(output))
    for part, accuracy in (("train", base), ("new", new)):
        metrics = {"accuracy": accuracy, "macro_accuracy": accuracy, "many": 90.0, "few": None}
        record = {
            "status": status,
            "trainer": trainer,
            "dataset": dataset,
            "classes": part,
            "seed": seed,
            "ratio": ratio,
            "shots": shots,
            "epochs": 13,
            "selection": "last_step",
            "config": {"SEED": seed},
            "config_hash": "0",
            "metrics": metrics,
        }
        write_record(job.folder(part), Record(**record))


def test_the_test_half_uses_the_prompts_of_the_train_half(tmp_path):
    job = Job("pets", "CoOp", "cfg", 7, 0.25, output=str(tmp_path), options=("OPTIM.LR", "0.1"))
    write_pair(tmp_path, "pets", "CoOp", 7, 60.0, 40.0, ratio=0.25)
    for file in ("datasets/pets.yaml", "trainers/CoOp/cfg.yaml"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("")
    asked = job.steps(["new"])[0].request(tmp_path)
    assert asked.eval_only and asked.load_epoch == 13
    assert asked.model_dir == str(job.folder("train"))
    assert asked.opts[asked.opts.index("DATASET.SUBSAMPLE_CLASSES") + 1] == "new"
    assert asked.opts[-2:] == ["OPTIM.LR", "0.1"]
    assert job.folder("train") != job.folder("new")


def test_a_protocol_s_runs_come_in_order_training_first(tmp_path):
    job = Job("dtd", "CoOp", "cfg", 1, 0.06, output=str(tmp_path))
    assert [step.part.name for step in job.steps()] == ["train", "new"]
    assert [step.part.name for step in job.steps(["new"])] == ["new"]
    below = "dtd/shots_16/ratio_0.06/CoOp/cfg/seed1"
    assert job.folder("train") == tmp_path / "base2new" / "train_base" / below
    assert job.folder("new") == tmp_path / "base2new" / "test_new" / below
    assert job.name == "dtd CoOp tau 0.06 seed 1"


def test_a_transfer_tests_on_every_target(tmp_path):
    job = Job(
        "imagenet",
        "CoOp",
        "cfg",
        1,
        protocol="xd",
        targets=("dtd", "eurosat"),
        output=str(tmp_path),
    )
    first, *others = job.steps()
    assert first.part.trains and first.dataset == "imagenet"
    assert [step.dataset for step in others] == ["dtd", "eurosat"]
    assert not any(step.part.trains for step in others)


@pytest.fixture
def asked(tree, pets_root, tmp_path):
    """The two runs of a job on the miniature pets, with the configs folder."""
    register_all(base=True)
    job = Job("pets", "CoOp", "small", 1, 0.5, 4, str(pets_root), str(tmp_path / "out"))
    return (*job.steps(), tree)


def complete(step, configs, epoch=None, **changes):
    """A record of the step as if it had been run, with other settings where said."""
    request = step.request(configs, epoch)
    cfg = build_cfg(replace(request, opts=[*request.opts, *changes.pop("opts", [])]))
    record = Record(
        status="completed",
        trainer="CoOp",
        dataset="OxfordPets",
        classes=step.part.classes,
        seed=1,
        ratio=0.5,
        shots=4,
        epochs=2,
        selection="last_step",
        config=config_as_dict(cfg),
        config_hash="0",
        metrics={"accuracy": 50.0, "macro_accuracy": 50.0},
        **changes,
    )
    write_record(step.folder, record)


def test_finished_is_completed_with_the_settings_asked_for(asked):
    train, new, configs = asked
    assert not train.finished(configs)
    complete(train, configs)
    assert train.finished(configs) and not train.job.done()
    complete(new, configs, tested_epoch=2)
    assert new.finished(configs) and new.job.done()


def test_a_finished_run_with_other_settings_is_refused_by_its_keys(asked):
    train, new, configs = asked
    complete(train, configs, opts=["OPTIM.LR", "0.2"])
    with pytest.raises(UserError, match=r"OPTIM\.LR: 0\.2 -> 0\.1"):
        train.finished(configs)
    complete(new, configs)
    assert train.job.done()  # whatever their settings


def test_results_of_another_epoch_are_refused(asked):
    train, new, configs = asked
    complete(train, configs)
    complete(new, configs, tested_epoch=2)
    with pytest.raises(UserError, match="holds the results of epoch 2, not 1"):
        new.finished(configs, epoch=1)
    complete(new, configs, tested_epoch=None)  # version 0.1 did not record it
    assert new.finished(configs, epoch=1)


def test_the_best_epoch_by_validation_has_no_number(asked):
    train, new, configs = asked
    complete(train, configs)
    assert new.request(configs).load_epoch == 2
    write_record(train.folder, replace(read_record(train.folder / RESULTS), selection="best_val"))
    assert new.request(configs).load_epoch is None
    assert new.request(configs, epoch=1).load_epoch == 1


def test_a_test_of_what_was_not_trained_is_refused(asked):
    _, new, configs = asked
    with pytest.raises(UserError, match="train_base.* holds no completed run: train it first"):
        new.request(configs)


def test_only_what_is_missing_is_run(asked, monkeypatch, capsys):
    train, new, configs = asked
    complete(train, configs)
    done = []
    monkeypatch.setattr(job_module, "perform", done.append)
    run_job(train.job, configs)
    assert done == [new.request(configs)]
    assert f"The results exist in {train.folder}" in capsys.readouterr().out


def test_settings_too_long_for_a_folder_are_refused_before_anything_runs():
    """``+A=x...`` behind the config's name: 255 bytes in all, as file systems have it."""
    longest = 255 - len("tiny_ep50_ctxv1+TRAIN.STEPS=")
    fits = Job("dtd", "CoOp", "tiny_ep50_ctxv1", 1, settings=(("TRAIN.STEPS", "1" * longest),))
    assert fits.method.trainer == "CoOp"
    with pytest.raises(UserError, match="256 bytes, and 255 are allowed; put its settings into"):
        replace(fits, settings=(("TRAIN.STEPS", "1" * (longest + 1)),))
