"""A sweep through real processes: it goes on, it repeats only what failed, it refuses."""

import pytest

from npt_plugin.cli import sweep
from npt_plugin.runs.record import Record, write_record
from npt_plugin.sweep.job import Job


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


@pytest.fixture
def tree(tmp_path, small_clip_file):
    """A configs folder for the miniature pets and the random CLIP."""
    datasets, trainers = tmp_path / "configs" / "datasets", tmp_path / "configs" / "trainers"
    datasets.mkdir(parents=True)
    (datasets / "pets.yaml").write_text("DATASET: {NAME: OxfordPets}\n")
    for name in ("CoOp", "NPT_CoOp", "ZeroshotCLIP"):
        (trainers / name).mkdir(parents=True)
        (trainers / name / "small.yaml").write_text(
            f"MODEL: {{CLIP_WEIGHTS: {small_clip_file}}}\n"
            "INPUT: {SIZE: [32, 32], TRANSFORMS: [normalize]}\n"
            "OPTIM: {NAME: sgd, LR: 0.1, MAX_EPOCH: 2, LR_SCHEDULER: cosine}\n"
            "DATALOADER: {NUM_WORKERS: 0}\n"
        )
    return tmp_path / "configs"


def sweep_command(tree, pets_root, output, *more):
    words = ["--datasets", "pets", "--trainers", "ZeroshotCLIP", "CoOp", "--seeds", "1", "2"]
    words += ["--config", "small", "--configs", str(tree), "--root", str(pets_root)]
    return [*words, "--shots", "4", "--output", str(output), "--jobs", "2", *more]


def test_a_sweep_goes_on_after_a_failure_and_repeats_only_that(tree, pets_root, tmp_path, capfd):
    blocked = (
        tmp_path / "out" / "base2new" / "train_base" / "pets/shots_4/ratio_0.06/CoOp/small/seed2"
    )
    blocked.parent.mkdir(parents=True)
    blocked.write_text("a file where the run needs a folder")
    assert sweep.main(sweep_command(tree, pets_root, tmp_path / "out")) == 1
    out, err = capfd.readouterr()
    assert "3 runs, 0 completed already, 3 to do" in out
    assert "failed: pets CoOp tau 0.06 seed 2" in err
    assert "| CoOp" in out and "Traceback" not in err
    blocked.unlink()
    assert sweep.main(sweep_command(tree, pets_root, tmp_path / "out")) == 0
    assert "3 runs, 2 completed already, 1 to do" in capfd.readouterr().out


def test_a_finished_run_with_other_settings_is_refused_with_its_keys(
    tree, pets_root, tmp_path, capfd
):
    words = sweep_command(tree, pets_root, tmp_path / "out", "--seeds", "1", "--trainers", "CoOp")
    assert sweep.main(words) == 0
    capfd.readouterr()
    assert sweep.main([*words, "--opts", "TRAIN.STEPS", "9", "OPTIM.LR", "0.2"]) == 2
    out, err = capfd.readouterr()
    assert "OPTIM.LR: 0.1 -> 0.2; TRAIN.STEPS: 0 -> 9" in err and "train_base" in err
    assert "1 to do" not in out and "| CoOp" not in out
    assert sweep.main([*words, "--opts", "TRAIN.PRINT_FREQ", "7"]) == 0  # changes no number
    assert "1 runs, 1 completed already, 0 to do" in capfd.readouterr().out
    old = tmp_path / "out" / "base2new"
    for part in ("train_base", "test_new"):  # version 0.1's scripts spelled it so
        above = old / part / "pets" / "shots_4"
        (above / "ratio_0.06").rename(above / "ratio_0.060")
    assert sweep.main(words) == 0
    assert "1 runs, 1 completed already, 0 to do" in capfd.readouterr().out
