"""``npt export``: what it writes, and what it says it cannot."""

import json
from functools import partial

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from tolerance import float32_bound, gap

from npt_plugin.backbone.loading import load_clip_of
from npt_plugin.backbone.openai import part_of_clip
from npt_plugin.backbone.standalone import WEIGHTS
from npt_plugin.cli import main as cli
from npt_plugin.cli.export import CLASSIFIER, PROGRAM, TUNED, standalone_program
from npt_plugin.predictor import Predictor
from npt_plugin.runs.folder import RunFolder


def test_three_files_are_written_and_named(run, tmp_path, capsys):
    assert cli.main(["export", str(run), "--output", str(tmp_path / "a")]) == 0
    out = capsys.readouterr().out
    names = [CLASSIFIER, PROGRAM, WEIGHTS]
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == sorted(names)
    assert all(str(tmp_path / "a" / name) in out for name in names)
    with safe_open(str(tmp_path / "a" / CLASSIFIER), "pt") as file:
        assert file.get_tensor("text_features").shape == (3, 48)
        names = json.loads(file.metadata()["class_names"])
    assert names == ["red_kite", "blue kite", "green kite"]


def test_the_program_names_nothing_of_this_package():
    code = standalone_program()
    assert "npt_plugin" not in code and "def to_rgb" in code
    compile(code, PROGRAM, "exec")


def test_what_cannot_be_exported_says_so(make_trainer, tmp_path, capsys):
    make_trainer("MaPLe", "OPTIM.MAX_EPOCH", "1", output=tmp_path / "maple").train()
    assert cli.main(["export", str(tmp_path / "maple")]) == 2
    assert "image side is learned too" in capsys.readouterr().err
    assert Predictor.from_run(tmp_path / "maple").text.shape[0] == 3


@pytest.mark.parametrize(
    "headed_run, reason",
    [
        ("linear", "its head is linear"),
        ("decoder", "its head is linear"),
        ("named", "its image side is learned too"),
        ("prompted", "its image side is learned too"),
    ],
    indirect=["headed_run"],
)
def test_what_does_not_export_says_why(headed_run, reason, tmp_path, capsys):
    assert cli.main(["export", str(headed_run), "--output", str(tmp_path / "a")]) == 2
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


def tuned(method, *more):
    node = "TRAINER.FINE_TUNE."
    return ("FineTune", node + "METHOD", method, node + "LORA_ALPHA", "99.", *more)


def features_of(file, images):
    """By OpenAI's own code, from a state dict, in the images' precision."""
    state = load_file(file)
    model = part_of_clip("model").build_model(dict(state)).to(images.dtype)
    model.load_state_dict(state)
    for norm in (m for m in model.modules() if isinstance(m, torch.nn.LayerNorm)):
        norm.forward = partial(torch.nn.LayerNorm.forward, norm)  # clip's rounds to float32
    with torch.no_grad():
        return model.encode_image(images)


@pytest.mark.parametrize("method", ["lora", "ssf", "full"])
def test_a_tuned_clip_is_exported_with_its_weights_merged(first_stages, tmp_path, method):
    run = first_stages(*tuned(method, "TRAINER.HEAD.NAME", "text"))
    assert cli.main(["export", str(run), "--output", str(tmp_path / "a")]) == 0
    images = torch.randn(2, 3, 32, 32)
    theirs = features_of(tmp_path / "a" / WEIGHTS, images)
    predictor = Predictor.from_run(run)
    ours = predictor.model.image_features(images).double()
    exact = features_of(tmp_path / "a" / WEIGHTS, images.double())
    assert (ours - exact).abs().max() <= float32_bound(theirs, exact)
    plain = load_clip_of(RunFolder.open(run).config()).float().image_tower()(images)
    assert gap(theirs, plain) > 1e-4  # it has learned


def test_clip_alone_is_written_whatever_the_head(first_stages, tmp_path, capsys):
    head = ("TRAINER.HEAD.NAME", "linear", "TRAINER.FINE_TUNE.FEATURE", "ln_post")
    run = first_stages(*tuned("bias", *head))
    assert cli.main(["export", str(run), "--output", str(tmp_path / "a")]) == 2
    assert cli.main(["export", str(run), "--output", str(tmp_path / "a"), "--clip"]) == 0
    (file,) = (tmp_path / "a").iterdir()
    assert file.name == TUNED and f"{file} " in capsys.readouterr().out
    assert load_file(file)["token_embedding.weight"].shape[0] == 49408
    assert features_of(file, torch.randn(1, 3, 32, 32)).shape == (1, 48)


def test_what_does_not_merge_says_so(first_stages, run, tmp_path, capsys):
    beside = first_stages(*tuned("adaptformer", "TRAINER.HEAD.NAME", "text"))
    for folder, flags, reason in (
        (beside, [], "its modules do not merge"),
        (beside, ["--clip"], "its modules do not merge"),
        (run, ["--clip"], "what it learns is no part of CLIP's weights"),
    ):
        assert cli.main(["export", str(folder), "--output", str(tmp_path / "a"), *flags]) == 2
        assert reason in capsys.readouterr().err
        assert not (tmp_path / "a").exists()
