"""What a finished run is good for: eval, predict, export, words, dry run, print config."""

import inspect
import json
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from tolerance import DOUBLE, SINGLE, gap

from npt_plugin.cli import main as cli
from npt_plugin.cli.words import nearest_words
from npt_plugin.datasets.rgb import to_rgb
from npt_plugin.errors import UserError
from npt_plugin.predictor import Predictor
from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.predictions import PREDICTIONS, Predictions
from npt_plugin.runs.record import read_record, write_record

ROUNDED = 1.01 * SINGLE  # of the largest: one rounding to float32


@pytest.fixture
def run(trained_run, tmp_path):
    """A copy of the trained run that a test may write to."""
    return shutil.copytree(trained_run, tmp_path / "copy")


def images_of(pets_root, trained_run):
    names = read_record(trained_run / RESULTS).class_names
    folder = pets_root / "oxford_pets" / "images"
    return [p for n in names for p in sorted(folder.glob(f"{n.replace(' ', '_')}_test_*.jpg"))]


@pytest.fixture
def images(pets_root, trained_run):
    return images_of(pets_root, trained_run)


def test_eval_needs_only_the_run(run, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["eval", "--run", str(run)]) == 0, capfd.readouterr().err
    again = read_record(run / "eval" / "OxfordPets_base" / RESULTS)
    first = read_record(run / RESULTS)
    assert again.metrics == first.metrics and again.tested_epoch == 3
    assert cli.main(["eval", "--run", str(run), "--classes", "all"]) == 0
    assert len(read_record(run / "eval" / "OxfordPets_all" / RESULTS).class_names) == 6
    assert read_record(run / RESULTS) == first


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


def test_predictions_are_kept_and_checked(run):
    kept = Predictions.load(run)
    record = read_record(run / RESULTS)
    accuracy = 100 * (kept.logits.argmax(1) == kept.labels).double().mean().item()
    assert accuracy == record.metrics["accuracy"]
    assert kept.class_names == record.class_names
    data = (run / PREDICTIONS).read_bytes()
    (run / PREDICTIONS).write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match="cannot be read"):
        Predictions.load(run)


def seen_again(run):
    """What ``eval`` says of the run: computed in float64 here, and rounded once when kept."""
    assert cli.main(["eval", "--run", str(run)]) == 0
    return Predictions.load(run / "eval" / "OxfordPets_base")


@pytest.mark.numerics
def test_the_predictor_says_what_the_run_said(run, images):
    kept, predictor = seen_again(run), Predictor.from_run(run)
    assert gap(predictor.logits(images), kept.logits) <= ROUNDED
    one = predictor.top_k(images[0], k=2)[0]
    opened = Image.open(images[0])
    batch = predictor.transform(opened.convert("RGB"))[None]
    assert len(one) == 2 and one[0][1] >= one[1][1]
    assert predictor.top_k(opened, k=2)[0][0][0] == one[0][0]
    assert gap(predictor.probabilities(batch), predictor.probabilities(opened)) <= DOUBLE
    assert predictor.probabilities(images).sum(1).tolist() == pytest.approx([1.0] * len(images))
    assert predictor.logits([]).shape == (0, 3)


@pytest.mark.numerics
def test_the_predictor_adjusts_after_training_as_the_run_did(first_stages, pets_root):
    run = first_stages("CoOp", "TRAINER.IMBALANCE_LOSS.POSTHOC_TAU", "2.0")
    kept, predictor = seen_again(run), Predictor.from_run(run)
    images = images_of(pets_root, run)
    assert gap(predictor.logits(images), kept.logits) <= ROUNDED
    other = Predictor.from_run(run, class_names=kept.class_names)  # names given: no prior
    prior = torch.tensor(read_record(run / RESULTS).class_counts).double()
    shift = 2 * (prior / prior.sum()).log().float()
    assert shift.std() > 0
    assert gap(other.logits(images) - shift, kept.logits) <= ROUNDED


@pytest.mark.numerics
def test_new_class_names(run, images):
    predictor = Predictor.from_run(run, class_names=["lime fish", "red_kite"])
    assert predictor.probabilities(images[:3]).shape == (3, 2)
    whole = Predictor.from_run(run)
    ours, theirs = predictor.logits(images[:3])[:, 1], whole.logits(images[:3])[:, 0]
    assert gap(ours, theirs) <= DOUBLE  # red_kite in both


def test_predict_prints_a_line_an_image(run, images, capsys, tmp_path):
    assert cli.main(["predict", str(run), *map(str, images[:2]), "--top-k", "1", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["image"] for line in lines] == [str(p) for p in images[:2]]
    (tmp_path / "broken.jpg").write_bytes(b"not an image")
    assert cli.main(["predict", str(run), str(tmp_path / "broken.jpg")]) == 2
    assert "broken.jpg cannot be read as an image" in capsys.readouterr().err


def deepened(path, target):
    """A grey copy with 16 bits a pixel, and the 8-bit values it was made of."""
    grey = np.asarray(Image.open(path).convert("L"))
    Image.fromarray(grey.astype(np.uint16) * 257).save(target)
    return Image.fromarray(grey)


def test_16_bit_images_are_seen_as_their_8_bit_originals(run, images, tmp_path):
    grey = deepened(images[0], tmp_path / "deep.png")
    predictor = Predictor.from_run(run)
    for picture in (tmp_path / "deep.png", Image.open(tmp_path / "deep.png")):
        assert torch.equal(predictor.logits(picture), predictor.logits(grey))
    unclear = Image.fromarray(np.ones((9, 9), np.float32))
    with pytest.raises(UserError, match="no fixed range, mode F"):
        predictor.logits(unclear)


def test_the_export_classifies_without_this_package(run, images, tmp_path, capsys):
    deepened(images[0], tmp_path / "deep.png")
    images = [tmp_path / "deep.png", *images]
    assert cli.main(["export", str(run), "--output", str(tmp_path / "export")]) == 0
    blocked = (
        "import sys, runpy; sys.modules['npt_plugin'] = None; sys.argv = sys.argv[1:];"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    loader = tmp_path / "export" / "classify.py"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", blocked, str(loader), *map(str, images[:4])],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    ours = Predictor.from_run(run).top_k(images[:4], k=1)
    for line, row in zip(done.stdout.splitlines(), ours, strict=True):
        name, p = line.split("\t")[1].rsplit(" ", 1)
        assert name == row[0][0] and float(p) == pytest.approx(row[0][1], abs=1e-4)
    code = loader.read_text().split('"""', 2)[2].replace(inspect.getsource(to_rgb), "")
    assert len([x for x in code.splitlines() if x and "import" not in x]) <= 20


def test_what_cannot_be_exported_says_so(make_trainer, tmp_path, capsys):
    make_trainer("MaPLe", "OPTIM.MAX_EPOCH", "1", output=tmp_path / "maple").train()
    assert cli.main(["export", str(tmp_path / "maple")]) == 2
    assert "image side is learned too" in capsys.readouterr().err
    assert Predictor.from_run(tmp_path / "maple").text.shape[0] == 3


def test_nearest_words_find_a_planted_word(make_trainer, tmp_path, capsys):
    trainer = make_trainer("CoOp", "OPTIM.MAX_EPOCH", "1", output=tmp_path / "run")
    trainer.train()
    from npt_plugin.backbone.loading import tokenizer
    from npt_plugin.trainers.context import embed_words

    clip = __import__("npt_plugin.backbone.loading", fromlist=["load_clip"]).load_clip(
        "", trainer.cfg.MODEL.CLIP_WEIGHTS
    )
    assert tokenizer().encode("kite boat fish")
    with torch.no_grad():
        trainer.model.prompt_learner.ctx.copy_(embed_words(clip, "kite boat fish", 3))
    trainer.save_model(0, str(tmp_path / "run"))
    found = nearest_words(tmp_path / "run", k=1)
    assert [row[0][0] for row in found] == ["kite", "boat", "fish"]
    assert max(row[0][1] for row in found) < 1e-2
    assert cli.main(["words", str(tmp_path / "run")]) == 0
    assert "kite (0.0" in capsys.readouterr().out


def test_print_config_is_yaml_and_runs_nothing(train_here, tmp_path):
    done = train_here("--trainer", "CoOp", "--print-config", "--output-dir", str(tmp_path / "no"))
    assert done.returncode == 0 and not (tmp_path / "no").exists()
    assert yaml.safe_load(done.stdout)["TRAINER"]["NAME"] == "CoOp"


def test_dry_run_shows_the_run_and_writes_nothing(train_here, tmp_path):
    done = train_here(
        "--trainer", "NPT_CoOp", "--seed", "1", "--dry-run", "--output-dir", str(tmp_path / "no")
    )
    assert done.returncode == 0, done.stderr
    for part in (
        "prompt_learner.ctx",
        "(3, 64)",
        "Step 2: loss",
        "[3 learned vectors] red kite.",
        "Training images per class",
        "Training: 6 steps",
        "Whole run: about 0:00:",
        "Memory: about process",
        "MiB",
        "Nothing was written.",
    ):
        assert part in done.stdout, part
    assert not (tmp_path / "no").exists()
