"""``Predictor``: what a run learned, on images by path, opened, or as a batch."""

import numpy as np
import pytest
import torch
from PIL import Image
from tolerance import DOUBLE, SINGLE, gap

from npt_plugin.cli import main as cli
from npt_plugin.errors import UserError
from npt_plugin.predictor import Predictor
from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.predictions import Predictions
from npt_plugin.runs.record import read_record

ROUNDED = 1.01 * SINGLE  # of the largest: one rounding to float32


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
def test_the_predictor_adjusts_after_training_as_the_run_did(first_stages, images):
    run = first_stages("CoOp", "TRAINER.IMBALANCE_LOSS.POSTHOC_TAU", "2.0")
    kept, predictor = seen_again(run), Predictor.from_run(run)
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


def test_16_bit_images_are_seen_as_their_8_bit_originals(run, images, deepened, tmp_path):
    grey = deepened(images[0], tmp_path / "deep.png")
    predictor = Predictor.from_run(run)
    for picture in (tmp_path / "deep.png", Image.open(tmp_path / "deep.png")):
        assert torch.equal(predictor.logits(picture), predictor.logits(grey))
    unclear = Image.fromarray(np.ones((9, 9), np.float32))
    with pytest.raises(UserError, match="no fixed range, mode F"):
        predictor.logits(unclear)


def test_what_is_no_image_is_named(run, tmp_path):
    predictor = Predictor.from_run(run)
    (tmp_path / "notes.txt").write_text("not an image")
    for path, reason in (
        (tmp_path / "notes.txt", "notes.txt cannot be read as an image .cannot identify"),
        (tmp_path / "none.png", "There is no image .*none.png"),
        (tmp_path, "is a folder"),
    ):
        with pytest.raises(UserError, match=reason):
            predictor.top_k(path)
