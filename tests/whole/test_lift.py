"""LIFT's preset on a miniature CIFAR100-LT in CIFAR's binary layout, against slow references."""

import math
import sys

import pytest
import torch
from cifar_files import cifar100_tree
from ensemble_checks import ensembles_of
from PIL import Image
from tolerance import DOUBLE, gap
from torchvision.transforms import functional

from npt_plugin.backbone.loading import load_clip_of
from npt_plugin.engine.framework import build_trainer
from npt_plugin.registration import register_all
from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import read_record
from npt_plugin.runs.settings import Request, build_cfg
from npt_plugin.sweep.run import perform
from npt_plugin.system.random_state import seed_everything

MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
SMALL = (
    *("INPUT.SIZE", "(32, 32)", "INPUT.TEST_RESIZE", "36"),  # and crops of 32 of 44 pixels
    *("DATASET.IMBALANCE.RATIO", "0.1", "OPTIM.MAX_EPOCH", "2", "DATALOADER.NUM_WORKERS", "0"),
    *("DATALOADER.TRAIN_X.BATCH_SIZE", "8", "TRAINER.FINE_TUNE.PREC", "fp32"),
)


@pytest.fixture
def request_of(tmp_path, small_clip_file):
    """``request_of("KEY", "value")``: the preset on five classes, for the random CLIP."""
    cifar100_tree(tmp_path / "data")
    register_all(base=True)

    def make(*options: str, trainer: str = "FineTune") -> Request:
        opts = (*SMALL, "MODEL.CLIP_WEIGHTS", str(small_clip_file), *options)
        return Request(
            trainer,
            dataset_config_file="cifar100_lt",
            config_file="vit_b16_lift_ep10",
            root=str(tmp_path / "data"),
            output_dir=str(tmp_path / "out"),
            seed=0,
            opts=opts,
        )

    return make


@pytest.fixture
def trainer(request_of):
    """Its trainer before the first step."""
    cfg = build_cfg(request_of())
    seed_everything(cfg)
    return build_trainer(cfg)


def test_the_preset_runs_from_the_archive_to_the_record(request_of, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # Dassl's logger replaces it
    perform(request_of())
    record = read_record(tmp_path / "out" / RESULTS)
    assert record.status == "completed" and record.class_counts == [20, 11, 6, 3, 2]
    assert list(record.beside) == ["crops"] and record.beside["crops"]["paired"]["n"] == 20
    learned = record.trainable_parameters
    layers, width, rank, classes = 2, 64, 1, 5  # LIFT's own count: L (3 d + 1 + r (2 d + 1)) + K d
    assert learned == layers * (3 * width + 1 + rank * (2 * width + 1)) + classes * width


def test_npt_s_terms_go_with_the_preset(request_of, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    perform(request_of(trainer="NPT_FineTune"))
    record = read_record(tmp_path / "out" / RESULTS)
    assert record.status == "completed" and record.class_counts == [20, 11, 6, 3, 2]
    assert record.trainer == "NPT_FineTune" and list(record.beside) == ["crops"]


def pictures(trainer, side):
    """The test images as they are on disk, their shorter side resized as torchvision does."""
    images = [Image.open(item.impath).convert("RGB") for item in trainer.dm.dataset.test]
    return [functional.resize(image, side) for image in images]  # bilinear is its default


def slow_rows(trainer):
    """Every class's text through CLIP, projected back to the tower's width."""
    backbone = load_clip_of(trainer.cfg).double()
    clip_model, rows = backbone.model, []
    for name in trainer.classnames:
        tokens = backbone.tokenizer([f"a photo of a {name.replace('_', ' ')}."])
        text = clip_model.encode_text(tokens)
        text = text / text.norm()
        row = text @ clip_model.visual.proj.t()
        rows.append(row / row.norm())
    return torch.cat(rows)


def slow_feature(visual, image):
    """The class token after ``ln_post``, of CLIP's own modules: at step 0 the tuning adds 0."""
    seen = functional.normalize(functional.to_tensor(image), MEAN, STD)[None].double()
    x = visual.conv1(seen).flatten(2).transpose(1, 2)
    x = torch.cat([visual.class_embedding.expand(1, 1, -1), x], dim=1) + visual.positional_embedding
    x = visual.transformer(visual.ln_pre(x).transpose(0, 1)).transpose(0, 1)
    return visual.ln_post(x[:, 0])


def slow_logits(visual, image, rows):
    feature = slow_feature(visual, image)
    return 25 * (feature / feature.norm()) @ rows.t()


@pytest.mark.numerics
def test_the_head_starts_from_text_and_sees_the_class_token(trainer):
    found, (plain, _) = ensembles_of(trainer)
    rows, visual = slow_rows(trainer), load_clip_of(trainer.cfg).double().model.visual
    assert gap(trainer.model.head.rows(), rows) <= DOUBLE
    with torch.no_grad():
        centres = [functional.center_crop(image, 32) for image in pictures(trainer, 36)]
        expected = torch.cat([slow_logits(visual, image, rows) for image in centres])
        assert gap(plain, expected) <= DOUBLE
        members = []
        for image in pictures(trainer, 44):
            five = [slow_logits(visual, crop, rows) for crop in functional.five_crop(image, 32)]
            members.append(sum(five) / 5)
    assert gap(found["crops"], torch.cat(members)) <= DOUBLE


@pytest.mark.numerics
def test_the_loss_is_cross_entropy_with_the_log_of_the_priors_added(trainer):
    batch = next(iter(trainer.train_loader_x))
    terms, outputs = trainer.losses(trainer.on_device(batch))
    counts = [20, 11, 6, 3, 2]
    total = 0.0
    for logits, label in zip(outputs.logits.tolist(), batch["label"].tolist(), strict=True):
        shifted = [z + math.log(n / sum(counts)) for z, n in zip(logits, counts, strict=True)]
        highest = max(shifted)
        total += highest + math.log(sum(math.exp(z - highest) for z in shifted)) - shifted[label]
    assert list(terms) == ["ce"]
    assert terms["ce"].item() == pytest.approx(total / len(batch["label"]), rel=1e-12)


def test_training_images_are_cropped_and_flipped_as_torchvision_does(trainer):
    crop, flip, *_ = trainer.train_loader_x.dataset.transform.transforms
    assert crop.size in (32, (32, 32), [32, 32]) and tuple(crop.scale) == (0.08, 1.0)
    assert crop.ratio == (3 / 4, 4 / 3) and crop.interpolation.value == "bilinear" and flip.p == 0.5
