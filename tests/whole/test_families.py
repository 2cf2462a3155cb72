"""Base to new on a miniature of each family: train, resume, test, predict, export."""

import json
import runpy
import sys

import pytest
import torch
from trainer_checks import cut_short, learned

pytest.importorskip("open_clip")
from clip_families import FAMILIES, VITS, family_folder

from npt_plugin.cli import main as cli
from npt_plugin.errors import UserError
from npt_plugin.predictor import Predictor
from npt_plugin.runs.folder import RunFolder

SEEN = {"siglip": [0.5] * 3, "siglip2": [0.5] * 3}
"""Mean and deviation of their pixels; others have OpenAI's."""


@pytest.fixture
def run_of(make_trainer, tmp_path):
    """``run_of(family, trainer, "place", "KEY", "value")``: a trainer on the family's miniature."""

    def make(family, trainer, place, *options):
        folder = tmp_path / "model"
        if not folder.exists():
            family_folder(family, folder)
        about = json.loads((folder / "open_clip_config.json").read_text())
        size = about["model_cfg"]["vision_cfg"]["image_size"]
        own = ["MODEL.BACKBONE.NAME", f"open_clip:local-dir:{folder}", "MODEL.CLIP_WEIGHTS", ""]
        own += ["INPUT.SIZE", f"({size}, {size})", "DATASET.NUM_SHOTS", "2"]
        if family in SEEN:
            own += ["INPUT.PIXEL_MEAN", str(SEEN[family]), "INPUT.PIXEL_STD", str(SEEN[family])]
        own += ["DATASET.IMBALANCE.RATIO", "0.5", *options]
        return make_trainer(trainer, *own, output=tmp_path / place)

    return make


def resumed(run_of, family, trainer):
    """A run that was cut after its first epoch, and has gone on to its end."""
    cut = run_of(family, trainer, "cut")
    cut_short(cut)
    again = run_of(family, trainer, "cut")
    again.train()
    return again


def check_new_classes(run_of, family, trainer, tmp_path):
    new = run_of(family, trainer, "new", "DATASET.SUBSAMPLE_CLASSES", "new")
    assert new.classnames == ["grey boat", "tan boat", "lime fish"]
    new.load_model(str(tmp_path / "whole"), epoch=2)
    assert 0 <= new.test() <= 100


def each_with(trainer, short):
    """A trainer on every family; those that are not in ``short`` among the long tests."""
    return [
        pytest.param(f, trainer, marks=() if f in short else pytest.mark.long) for f in FAMILIES
    ]


SHORT = [f for f in FAMILIES if f != "eva02"]
"""There is no EVA-02 below 224 pixels; on the way from a trunk of timm's it differs in nothing."""


@pytest.mark.parametrize(
    "family, trainer", each_with("NPT_CoOp", SHORT) + each_with("CoOp", ["siglip"])
)
def test_base_to_new(run_of, images, tmp_path, capsys, family, trainer):
    whole = run_of(family, trainer, "whole")
    whole.train()
    again = resumed(run_of, family, trainer)
    for name, value in learned(whole).items():
        assert torch.equal(learned(again)[name], value), name
    check_new_classes(run_of, family, trainer, tmp_path)
    place = tmp_path / "whole"
    assert RunFolder.open(place).record.backbone.startswith("open_clip:local-dir:")
    ours = Predictor.from_run(place).top_k(images[:2], k=1)
    assert cli.main(["export", str(place), "--output", str(tmp_path / "out")]) == 0
    capsys.readouterr()
    program = [str(tmp_path / "out" / "classify.py"), *map(str, images[:2])]
    said = run_program(program, capsys)
    for line, row in zip(said.splitlines(), ours, strict=True):
        name, p = line.split("\t")[1].rsplit(" ", 1)
        assert name == row[0][0] and float(p) == pytest.approx(row[0][1], abs=1e-3)


def run_program(words, capsys):
    """What the exported program prints, in this process."""
    before, sys.argv = sys.argv, words
    try:
        with pytest.raises(SystemExit) as done:
            runpy.run_path(words[0], run_name="__main__")
    finally:
        sys.argv = before
    assert done.value.code == 0
    return capsys.readouterr().out


@pytest.mark.slow
def test_a_sweep_runs_once_and_knows_its_runs_by_their_backbone(pets_root, tmp_path, capfd):
    """Base to new by ``npt sweep``; a second call finds it done, one on another CLIP is refused."""
    configs, out = tmp_path / "configs", tmp_path / "out"
    for place, lines in (
        ("datasets/pets.yaml", "DATASET: {NAME: OxfordPets}\n"),
        ("trainers/CoOp/small.yaml", "OPTIM: {MAX_EPOCH: 1}\nTRAINER: {COOP: {N_CTX: 4}}\n"),
    ):
        (configs / place).parent.mkdir(parents=True)
        (configs / place).write_text(lines)

    def sweep(family):
        if not (tmp_path / family).exists():
            family_folder(family, tmp_path / family)
        words = ["--datasets", "pets", "--trainers", "CoOp", "--config", "small", "--seeds", "1"]
        words += ["--configs", str(configs), "--root", str(pets_root), "--output", str(out)]
        words += ["--shots", "2", "--jobs", "1"]
        words += ["--backbone", f"open_clip:local-dir:{tmp_path / family}"]
        end = cli.main(["sweep", *words])
        return end, capfd.readouterr()

    def records():
        return {place.parents[6].name: place.read_bytes() for place in out.rglob("results.json")}

    end, said = sweep("siglip")
    assert end == 0 and "1 runs, 0 completed already, 1 to do" in said.out, said
    first = records()
    assert len(first) == 2
    for text in first.values():
        held = json.loads(text)
        assert held["backbone"] == f"open_clip:local-dir:{tmp_path / 'siglip'}"
        assert held["config"]["INPUT"]["SIZE"] == [160, 160] and held["status"] == "completed"
    end, said = sweep("siglip")
    assert end == 0 and "1 runs, 1 completed already, 0 to do" in said.out, said
    end, said = sweep("vit_gelu")
    assert end == 2 and "MODEL.BACKBONE.NAME: open_clip:local-dir" in said.err, said
    assert records() == first


@pytest.mark.parametrize("family", FAMILIES)
def test_deep_prompts_run_on_vits_and_are_refused_elsewhere(run_of, family):
    if family not in VITS:
        with pytest.raises(UserError, match="MaPLe puts prompts .* does not allow, as it"):
            run_of(family, "NPT_MaPLe", "run")
        return
    trainer = run_of(family, "NPT_MaPLe", "run", "OPTIM.MAX_EPOCH", "1")
    start = {name: value.clone() for name, value in learned(trainer).items()}
    trainer.train()
    assert all(not torch.equal(value, start[name]) for name, value in learned(trainer).items())


@pytest.mark.parametrize("name", ["CoOp", "CoCoOp"])
def test_siglip_trains_by_its_own_loss(run_of, name):
    options = ("TRAINER.IMBALANCE_LOSS.NAME", "sigmoid", "TRAINER.COCOOP.N_CTX", "2")
    trainer = run_of("siglip", name, "run", *options)
    batch = trainer.on_device(next(iter(trainer.train_loader_x)))
    terms, outputs = trainer.losses(batch)
    signs = 2 * torch.nn.functional.one_hot(batch["label"], 3) - 1
    expected = torch.nn.functional.softplus(-signs * outputs.logits).sum(1).mean()
    # of the same logits, a sum of 9 positive numbers: at most some 20 roundings of 6e-8, 1.2e-6
    assert terms["ce"].item() == pytest.approx(expected.item(), rel=1e-5)
    assert trainer.model.head_bias == -10 and outputs.logits.mean() < -5
