"""What a finished run with a classifier head is good for, and what it says it is not."""

import json
import subprocess
import sys

import pytest
import torch

from npt_plugin.cli import main as cli
from npt_plugin.cli.list import names_of
from npt_plugin.predictor import Predictor
from npt_plugin.runs.layout import RESULTS

RUNS = {
    "probe": ("LinearProbe",),
    "linear": ("LinearProbe", "TRAINER.HEAD.NAME", "linear"),
    "decoder": ("Decoder", "TRAINER.HEAD.NAME", "linear", "TRAINER.HEAD.INIT", "random"),
    "named": ("Decoder", "TRAINER.HEAD.NAME", "text"),
    "prompted": ("GNM_PT",),
}


@pytest.fixture
def run(first_stages, request, tmp_path):
    """A finished run; what is written goes elsewhere."""
    return first_stages(*RUNS[request.param])


def images(pets_root):
    return sorted((pets_root / "oxford_pets" / "images").glob("*_test_*.jpg"))[:4]


@pytest.mark.parametrize("run", RUNS, indirect=True)
def test_eval_repeats_the_run_and_predict_agrees(run, pets_root, tmp_path, capfd):
    assert cli.main(["eval", "--run", str(run), "--output-dir", str(tmp_path / "a")]) == 0
    again, first = (json.loads((p / RESULTS).read_text()) for p in (tmp_path / "a", run))
    assert again["metrics"] == first["metrics"]
    capfd.readouterr()
    one = images(pets_root)[0]
    assert cli.main(["predict", str(run), str(one), "--json", "--top-k", "1"]) == 0
    top = json.loads(capfd.readouterr().out)["top"][0]
    assert top["name"] == Predictor.from_run(run).top_k(one, 1)[0][0][0]


@pytest.mark.parametrize("run", ["probe", "linear", "decoder", "prompted"], indirect=True)
def test_other_classes_are_refused_in_one_sentence(run, pets_root, tmp_path, capfd):
    output = ["--output-dir", str(tmp_path / "a")]
    assert cli.main(["eval", "--run", str(run), "--classes", "new", *output]) == 2
    error = capfd.readouterr().err
    assert "cannot name" in error and "TRAINER.HEAD.NAME text" in error
    assert "Traceback" not in error
    assert cli.main(["predict", str(run), str(images(pets_root)[0]), "--names", "cat,dog"]) == 2
    assert "cannot name cat, dog" in capfd.readouterr().err


@pytest.mark.parametrize("run", ["named"], indirect=True)
def test_a_text_head_names_other_classes(run, pets_root, tmp_path, capfd):
    output = ["--output-dir", str(tmp_path / "a")]
    assert cli.main(["eval", "--run", str(run), "--classes", "new", *output]) == 0
    assert len(json.loads((tmp_path / "a" / RESULTS).read_text())["class_names"]) == 3
    assert cli.main(["predict", str(run), str(images(pets_root)[0]), "--names", "cat,dog"]) == 0
    assert "cat " in capfd.readouterr().out


@pytest.mark.parametrize("run", ["linear"], indirect=True)
def test_tau_norm_is_a_key_of_the_test_alone(run, tmp_path):
    key = "TRAINER.IMBALANCE_LOSS.TAU_NORM"
    assert cli.main(["eval", "--run", str(run), "--output-dir", str(tmp_path), key, "1.0"]) == 0
    assert (
        json.loads((tmp_path / RESULTS).read_text())["config"]["TRAINER"]["IMBALANCE_LOSS"][
            "TAU_NORM"
        ]
        == 1
    )


@pytest.mark.parametrize("run", ["probe"], indirect=True)
def test_a_cosine_probe_exports(run, pets_root, tmp_path):
    assert cli.main(["export", str(run), "--output", str(tmp_path)]) == 0
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(tmp_path / "classify.py"), *images(pets_root)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    ours = Predictor.from_run(run).top_k(images(pets_root), k=1)
    for line, row in zip(done.stdout.splitlines(), ours, strict=True):
        name, p = line.split("\t")[1].rsplit(" ", 1)
        assert name == row[0][0] and float(p) == pytest.approx(row[0][1], abs=1e-4)


@pytest.mark.parametrize(
    "run, reason",
    [
        ("linear", "its head is linear"),
        ("decoder", "its head is linear"),
        ("named", "its image side is learned too"),
        ("prompted", "its image side is learned too"),
    ],
    indirect=["run"],
)
def test_what_does_not_export_says_why(run, reason, tmp_path, capsys):
    assert cli.main(["export", str(run), "--output", str(tmp_path / "a")]) == 2
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("run", ["decoder"], indirect=True)
def test_words_says_that_there_are_none(run, capsys):
    assert cli.main(["words", str(run)]) == 2
    assert "Decoder learns no context words" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["Decoder", "GNM_PT", "LinearProbe", "TwoStage"])
def test_dry_run_counts_what_is_learned(train_here, first_stages, name):
    run = ("TRAINER.TWO_STAGE.RUN", str(first_stages("CoOp")))
    done = train_here("--trainer", name, "--seed", "1", "--dry-run", options=run)
    assert done.returncode == 0, done.stderr
    assert "Learned parameters" in done.stdout and "Nothing was written." in done.stdout
    assert "Step 2: loss" in done.stdout


def test_lists_hold_the_new_names():
    assert {"Decoder", "GNM_PT", "LinearProbe", "TwoStage"} <= set(names_of("trainers"))
    assert names_of("heads") == ["cosine", "linear", "text"]
    assert names_of("second-stages") == ["crt", "disalign", "lws", "marc"]


def test_second_stage_of_a_relative_folder_is_found_from_elsewhere(
    make_trainer, first_stages, tmp_path, monkeypatch
):
    first = first_stages("CoOp")
    monkeypatch.chdir(first.parent)
    run = ("TRAINER.TWO_STAGE.RUN", first.name, "TRAINER.TWO_STAGE.METHOD", "lws")
    make_trainer("TwoStage", *run, output=tmp_path / "second").train()
    monkeypatch.chdir(tmp_path)
    predictor = Predictor.from_run(tmp_path / "second")
    assert predictor.logits(torch.randn(2, 3, 32, 32)).shape == (2, 3)
