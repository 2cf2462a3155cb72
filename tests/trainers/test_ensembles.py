"""Test-time ensembles against slow references: image by image, crop by crop, text by text."""

from types import SimpleNamespace

import pytest
import torch
from ensemble_checks import ensembles_of
from PIL import Image
from tolerance import DOUBLE, gap
from torchvision.transforms import functional

from npt_plugin.errors import UserError
from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import read_record
from npt_plugin.trainers.ensembles import Ensemble, crop_margin, ensembles_named

MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
PIXELS = ("INPUT.PIXEL_MEAN", str(MEAN), "INPUT.PIXEL_STD", str(STD))


def test_entries_are_parsed_once_each():
    crops, both = Ensemble(crops=True), Ensemble(crops=True, flip=True)
    assert ensembles_named("crops, flip+crops,crops") == [crops, both]
    assert [str(one) for one in ensembles_named("flip+crops, texts")] == ["crops+flip", "texts"]
    assert ensembles_named("") == []
    with pytest.raises(UserError, match=r"TEST.ENSEMBLE is 'corps'; choose one of crops, flip"):
        ensembles_named("crops+corps")


def pictures(trainer):
    """The test images as they are on disk."""
    return [Image.open(item.impath).convert("RGB") for item in trainer.dm.dataset.test]


def slow_logits(trainer, images):
    """One image at a time."""
    rows = []
    for image in images:
        seen = functional.normalize(functional.to_tensor(image), MEAN, STD)[None]
        with torch.no_grad():
            rows.append(trainer.model.encode(seen.to(torch.get_default_dtype())).logits)
    return torch.cat(rows)


@pytest.mark.numerics
@pytest.mark.parametrize("name", ["CoOp", "CoCoOp", "VPT", "LinearProbe"])
def test_crops_are_the_mean_over_torchvisions_five(make_trainer, name):
    """Resized to 32 + 12: one and a half patches of 8."""
    trainer = make_trainer(name, "TEST.ENSEMBLE", "crops, crops+flip, flip", *PIXELS)
    found, _ = ensembles_of(trainer)
    mode = functional.InterpolationMode(trainer.cfg.INPUT.INTERPOLATION)
    large = [functional.resize(image, 44, mode) for image in pictures(trainer)]
    five = [functional.five_crop(image, 32) for image in large]
    crops = [slow_logits(trainer, [some[place] for some in five]) for place in range(5)]
    mirrored = [
        slow_logits(trainer, [functional.hflip(some[place]) for some in five]) for place in range(5)
    ]
    whole = [functional.resize(image, 32, mode) for image in pictures(trainer)]
    centre = [functional.center_crop(image, 32) for image in whole]
    plain = slow_logits(trainer, centre), slow_logits(trainer, map(functional.hflip, centre))
    assert list(found) == ["crops", "crops+flip", "flip"]
    assert gap(found["crops"], sum(crops) / 5) <= DOUBLE
    assert gap(found["crops+flip"], sum(crops + mirrored) / 10) <= DOUBLE
    assert gap(found["flip"], sum(plain) / 2) <= DOUBLE


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("CoOp", ("TEST.ENSEMBLE", "crop"), "choose one of crops, flip, texts"),
        ("Decoder", ("TEST.ENSEMBLE", "texts"), "leave texts out"),
        ("LinearProbe", ("TEST.ENSEMBLE", "texts", "TRAINER.HEAD.NAME", "linear"), "leave texts"),
        ("CoOp", ("TEST.ENSEMBLE", "texts", "TEST.TEXTS", "none.json"), "is no file"),
        ("CoOp", ("INPUT.TEST_RESIZE", "31"), "INPUT.TEST_RESIZE is 31"),
    ],
)
def test_what_cannot_be_tested_is_refused_before_training(make_trainer, name, options, said):
    with pytest.raises(UserError, match=said):
        make_trainer(name, *options)


def test_the_record_has_them_beside_a_result_they_do_not_change(make_trainer, tmp_path, capsys):
    records = []
    for wanted in ("", "crops, texts"):
        place = tmp_path / (wanted or "plain")
        make_trainer("CoOp", "TEST.ENSEMBLE", wanted, output=place).train()
        records.append(read_record(place / RESULTS))
    plain, more = records
    assert plain.beside is None and plain.metrics == more.metrics
    assert list(more.beside) == ["crops", "texts"]
    for metrics in more.beside.values():
        paired = metrics["paired"]
        assert paired["n"] == 15 and paired["over"] == "test images"
        gained = metrics["accuracy"] - more.metrics["accuracy"]
        assert paired["difference"] == pytest.approx(gained)
        assert paired["interval"][0] <= paired["difference"] <= paired["interval"][1]
    assert "(paired over 15 test images)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "patch", "size", "margin"),
    [(0, 16, 224, 24), (0, 14, 224, 21), (0, 14, 336, 21), (0, 0, 224, 24), (7, 16, 224, 7)],
)
def test_the_margin_of_crops_is_lifts_for_its_backbones(given, patch, size, margin):
    cfg = SimpleNamespace(
        TEST=SimpleNamespace(CROP_MARGIN=given), INPUT=SimpleNamespace(SIZE=(size, size))
    )
    model = SimpleNamespace(image_encoder=SimpleNamespace(patch=patch))
    assert crop_margin(SimpleNamespace(cfg=cfg, model=model)) == margin
