"""The runs of a job, and which of them are there with the settings asked for."""

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
