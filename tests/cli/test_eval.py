"""``npt eval``: what a finished run is tested on again."""

import json
import shutil
from dataclasses import replace

import pytest

from npt_plugin.cli import main as cli
from npt_plugin.predictor import Predictor
from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import read_record, write_record


def test_eval_needs_only_the_run(run, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["eval", "--run", str(run)]) == 0, capfd.readouterr().err
    again = read_record(run / "eval" / "OxfordPets_base" / RESULTS)
    first = read_record(run / RESULTS)
    assert again.metrics == first.metrics and again.tested_epoch == 3
    assert cli.main(["eval", "--run", str(run), "--classes", "all"]) == 0
    assert len(read_record(run / "eval" / "OxfordPets_all" / RESULTS).class_names) == 6
    assert read_record(run / RESULTS) == first


def test_groups_and_adjustment_go_by_the_images_of_the_training(run, tmp_path, capfd):
    first = read_record(run / RESULTS)
    assert min(first.class_counts) < max(first.class_counts)
    words = ["eval", "--run", str(run)]
    assert cli.main(words) == 0
    assert "of this test would give others" not in capfd.readouterr().out
    even = ["--output-dir", str(tmp_path / "even"), "DATASET.IMBALANCE.RATIO", "1.0"]
    assert cli.main([*words, *even]) == 0
    assert "images per class: 2 to 4, of the run in" in capfd.readouterr().out
    again = read_record(tmp_path / "even" / RESULTS)
    assert again.metrics == first.metrics and again.class_counts == first.class_counts
    assert again.per_class == first.per_class
    assert cli.main([*words, "--classes", "all", "DATASET.IMBALANCE.RATIO", "1.0"]) == 0
    assert read_record(run / "eval" / "OxfordPets_all" / RESULTS).class_counts == [4] * 6


def test_eval_names_what_is_wrong(run, capfd):
    assert cli.main(["eval", "--run", str(run.parent)]) == 2
    assert "there are 1 below it" in capfd.readouterr().err
    assert cli.main(["eval", "--run", str(run), "--dataset", "oxford_pet"]) == 2
    assert "did you mean 'OxfordPets'" in capfd.readouterr().err
    shutil.rmtree(run / "prompt_learner")
    assert cli.main(["eval", "--run", str(run)]) == 2
    assert "There is no checkpoint" in capfd.readouterr().err


def test_eval_refuses_data_whose_classes_have_changed(run, capfd):
    record = read_record(run / RESULTS)
    write_record(run, replace(record, class_names=record.class_names[::-1]))
    assert cli.main(["eval", "--run", str(run)]) == 2
    assert "other classes now" in capfd.readouterr().err
    assert not (run / "eval" / "OxfordPets_base" / RESULTS).exists()


@pytest.mark.parametrize(
    "headed_run", ["probe", "linear", "decoder", "named", "prompted"], indirect=True
)
def test_eval_repeats_the_run_and_predict_agrees(headed_run, images, tmp_path, capfd):
    assert cli.main(["eval", "--run", str(headed_run), "--output-dir", str(tmp_path / "a")]) == 0
    again, first = (json.loads((p / RESULTS).read_text()) for p in (tmp_path / "a", headed_run))
    assert again["metrics"] == first["metrics"]
    capfd.readouterr()
    one = images[0]
    assert cli.main(["predict", str(headed_run), str(one), "--json", "--top-k", "1"]) == 0
    top = json.loads(capfd.readouterr().out)["top"][0]
    assert top["name"] == Predictor.from_run(headed_run).top_k(one, 1)[0][0][0]


@pytest.mark.parametrize("headed_run", ["probe", "linear", "decoder", "prompted"], indirect=True)
def test_other_classes_are_refused_in_one_sentence(headed_run, images, tmp_path, capfd):
    output = ["--output-dir", str(tmp_path / "a")]
    assert cli.main(["eval", "--run", str(headed_run), "--classes", "new", *output]) == 2
    error = capfd.readouterr().err
    assert "cannot name" in error and "TRAINER.HEAD.NAME text" in error
    assert "Traceback" not in error
    assert cli.main(["predict", str(headed_run), str(images[0]), "--names", "cat,dog"]) == 2
    assert "cannot name cat, dog" in capfd.readouterr().err


@pytest.mark.parametrize("headed_run", ["named"], indirect=True)
def test_a_text_head_names_other_classes(headed_run, images, tmp_path, capfd):
    output = ["--output-dir", str(tmp_path / "a")]
    assert cli.main(["eval", "--run", str(headed_run), "--classes", "new", *output]) == 0
    assert len(json.loads((tmp_path / "a" / RESULTS).read_text())["class_names"]) == 3
    assert cli.main(["predict", str(headed_run), str(images[0]), "--names", "cat,dog"]) == 0
    assert "cat " in capfd.readouterr().out


@pytest.mark.parametrize("headed_run", ["linear"], indirect=True)
def test_tau_norm_is_a_key_of_the_test_alone(headed_run, tmp_path):
    key = "TRAINER.IMBALANCE_LOSS.TAU_NORM"
    assert (
        cli.main(["eval", "--run", str(headed_run), "--output-dir", str(tmp_path), key, "1.0"]) == 0
    )
    assert (
        json.loads((tmp_path / RESULTS).read_text())["config"]["TRAINER"]["IMBALANCE_LOSS"][
            "TAU_NORM"
        ]
        == 1
    )
