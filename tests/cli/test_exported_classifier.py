"""``classify.py``, the program that ``npt export`` writes, in a process without this package."""

import runpy
import subprocess
import sys
from types import SimpleNamespace

import pytest
from yacs.config import CfgNode as CN

from npt_plugin.backbone.image_input import image_input
from npt_plugin.cli import main as cli
from npt_plugin.cli.export import PROGRAM
from npt_plugin.predictor import Predictor

WITHOUT_US = (
    "import sys, runpy; sys.modules['npt_plugin'] = None; sys.argv = sys.argv[1:];"
    "runpy.run_path(sys.argv[0], run_name='__main__')"
)


@pytest.fixture
def classify(tmp_path):
    """``classify(run, *images)``: export the run, then its program in a process of its own."""

    def call(run, *images):
        assert cli.main(["export", str(run), "--output", str(tmp_path / "export")]) == 0
        program = str(tmp_path / "export" / PROGRAM)
        return subprocess.run(
            [sys.executable, "-W", "ignore", "-c", WITHOUT_US, program, *map(str, images)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={"OMP_NUM_THREADS": "1"},
        )

    return call


def says_the_same(done, run, images):
    """The exported program's first names and probabilities are the predictor's."""
    ours = Predictor.from_run(run).top_k(images, k=1)
    for line, row in zip(done.stdout.splitlines(), ours, strict=True):
        name, p = line.split("\t")[1].rsplit(" ", 1)
        assert name == row[0][0] and float(p) == pytest.approx(row[0][1], abs=1e-4)


def test_the_export_classifies_without_this_package(run, images, deepened, tmp_path, classify):
    deepened(images[0], tmp_path / "deep.png")
    (tmp_path / "notes.txt").write_text("not an image")
    good = [tmp_path / "deep.png", *images[:3]]
    done = classify(run, *good[:2], tmp_path / "notes.txt", tmp_path / "none.png", *good[2:])
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert [
        line.partition(" cannot be read as an image ")[0] for line in done.stderr.splitlines()
    ] == [f"error: {tmp_path / 'notes.txt'}", f"error: {tmp_path / 'none.png'}"]
    says_the_same(done, run, good)


@pytest.mark.parametrize("headed_run", ["probe"], indirect=True)
def test_a_cosine_probe_exports(headed_run, images, classify):
    done = classify(headed_run, *images[:4])
    assert done.returncode == 0, done.stderr
    says_the_same(done, headed_run, images[:4])
    none = classify(headed_run)
    assert none.returncode == 2 and none.stderr.startswith("error: no image was given")


FOLDERS = ("vit_gelu", "coca", "convnext", "siglip", "hf_clip", "hf_siglip")


def folder_of(name, folder):
    """A miniature on disk as its library writes it."""
    pytest.importorskip("open_clip")
    pytest.importorskip("transformers")
    import clip_families
    import hugging_face_folders as hugging_face

    if name == "hf_clip":
        config = hugging_face.clip_config("gelu_pytorch_tanh", eos=49407, vocab_size=49408)
        return hugging_face.write_folder(hugging_face.random_model(config), folder)
    if name == "hf_siglip":
        model = hugging_face.random_model(hugging_face.siglip_config())
        return hugging_face.write_folder(model, folder, clip_families.hub_folder())
    return clip_families.family_folder(name, folder)


@pytest.mark.parametrize("name", FOLDERS)
def test_every_family_exports_with_its_own_library(
    name, make_trainer, images, tmp_path, capsys, monkeypatch
):
    folder, run = folder_of(name, tmp_path / "clip"), tmp_path / "run"
    size = image_input(CN({"CLIP_WEIGHTS": str(folder), "BACKBONE": {"NAME": ""}})).size
    options = ("MODEL.CLIP_WEIGHTS", str(folder), "INPUT.SIZE", str(size))
    trainer = make_trainer("CoOp", *options, "OPTIM.MAX_EPOCH", "1", "INPUT.TEST_RESIZE", "170")
    assert trainer.cfg.INPUT.PIXEL_MEAN[0] == (0.5 if "siglip" in name else 0.48145466)
    trainer.train()
    assert cli.main(["export", str(run), "--output", str(tmp_path / "a")]) == 0
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", [PROGRAM, *map(str, images[:3])])
    with pytest.raises(SystemExit) as end:  # in this process: importing torch takes the time
        runpy.run_path(str(tmp_path / "a" / PROGRAM), run_name="__main__")
    assert end.value.code == 0
    says_the_same(SimpleNamespace(stdout=capsys.readouterr().out), run, images[:3])


def test_a_run_s_own_adjustment_is_exported_too(first_stages, images, classify):
    run = first_stages("CoOp", "TRAINER.IMBALANCE_LOSS.POSTHOC_TAU", "3.")
    done = classify(run, *images[:3])
    assert done.returncode == 0, done.stderr
    says_the_same(done, run, images[:3])
