"""Candle: the loss over all names, what it may be tested on, and its checkpoints."""

import json

import pytest
import torch
from tolerance import DOUBLE, gap

from npt_plugin.errors import UserError
from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import read_record
from npt_plugin.trainers.feature_means import class_means

RARE = ("DATASET.IMBALANCE.RATIO", "0.5", "OPTIM.MAX_EPOCH", "1", "OPTIM.LR", "0.01")
NEW = ("DATASET.SUBSAMPLE_CLASSES", "new")
NAMES = ["red_kite", "blue kite", "green kite", "grey boat", "tan boat", "lime fish"]


@pytest.fixture
def trained(make_trainer, tmp_path):
    """A finished run on the base classes."""
    trainer = make_trainer("Candle", *RARE, output=tmp_path / "base")
    trainer.train()
    return trainer


def test_all_names_are_known_those_trained_on_first(make_trainer):
    model = make_trainer("Candle", *RARE).model
    assert model.names == NAMES and model.columns == [0, 1, 2]
    assert model.head.virtual_prototypes.shape == (3, model.head.proj_text.shape[0])
    whole = make_trainer("Candle", *RARE, "DATASET.SUBSAMPLE_CLASSES", "all").model
    assert whole.columns == [*range(6)] and "head.virtual_prototypes" not in whole.learned()


@pytest.mark.numerics
def test_the_loss_is_that_of_images_and_prototypes_one_by_one(make_trainer):
    trainer = make_trainer("Candle", *RARE, "DATALOADER.TRAIN_X.BATCH_SIZE", "6")
    trainer.model.head.see(class_means(trainer))
    trainer.set_model_mode("eval")  # no dropout
    batch = trainer.on_device(next(iter(trainer.train_loader_x)))
    with torch.no_grad():
        terms, outputs = trainer.losses(batch)
        features = trainer.model.image_features(batch["img"])
        views = trainer.model.head(features, with_prototypes=True, together=True)
    counts = [n + 1 for n in trainer.class_counts.tolist()] + [1, 1, 1]
    answers = [*batch["label"].tolist(), *range(6)]
    for name, view in zip(("ce_plain", "ce_text", "ce_visual"), views, strict=True):
        expected = 0.0
        for row, answer in zip(view, answers, strict=True):
            weighed = [n * float(z.exp()) for n, z in zip(counts, row, strict=True)]
            expected -= float(torch.tensor(weighed[answer] / sum(weighed)).log()) / len(answers)
        assert gap(terms[name], torch.tensor(expected)) <= 1e-6  # exp and log of single numbers
    assert outputs.logits.shape == (6, 3)
    assert gap(outputs.logits, (views[1] + views[2])[:6, :3]) <= DOUBLE


@pytest.mark.numerics
def test_prototypes_are_the_means_of_the_training_images(trained):
    means = class_means(trained)
    held = trained.model.head.visual_prototypes
    assert gap(held / held.norm(dim=1, keepdim=True), means) <= DOUBLE


def test_a_run_is_tested_on_new_names_and_on_all(trained, make_trainer, tmp_path):
    for classes, columns in (("new", [3, 4, 5]), ("all", [*range(6)])):
        place = tmp_path / classes
        other = make_trainer("Candle", *RARE, "DATASET.SUBSAMPLE_CLASSES", classes, output=place)
        other.load_model(str(tmp_path / "base"), epoch=1)
        assert other.model.names == NAMES and other.model.columns == columns
        learned = other.model.head.state_dict()
        for name, value in trained.model.head.state_dict().items():
            assert torch.equal(learned[name], value), name
        other.trained_in = str(tmp_path / "base")
        other.test()
    together = read_record(tmp_path / "new" / RESULTS).metrics["open_world"]
    whole = read_record(tmp_path / "all" / RESULTS).metrics
    assert together["joint"] == pytest.approx(whole["accuracy"])


def test_a_name_it_never_knew_is_refused(trained, make_cfg, small_clip, tmp_path):
    model = type(trained.model)(make_cfg("Candle"), ["red_kite", "whale"], small_clip)
    with pytest.raises(UserError, match="'whale' is not among them"):
        model.load_checkpoint_state(trained.model.checkpoint_state(), "a.pth")
    with pytest.raises(UserError, match="not saved by Candle"):
        model.load_checkpoint_state({}, "a.pth")


def test_a_public_checkpoint_s_names_are_told_by_their_text_features(trained, make_cfg, small_clip):
    state = trained.model.checkpoint_state()
    assert json.loads(bytes(state.pop("class_names").tolist())) == NAMES
    for names, columns in ((NAMES[:3], [0, 1, 2]), (NAMES[3:], [3, 4, 5]), (NAMES, [*range(6)])):
        model = type(trained.model)(make_cfg("Candle"), names, small_clip)
        model.load_checkpoint_state(state, "public")
        assert model.columns == columns
    with pytest.raises(UserError, match="'whale' is not among them"):
        type(trained.model)(make_cfg("Candle"), ["whale"], small_clip).load_checkpoint_state(
            state, "public"
        )


def test_another_loss_is_refused(make_trainer):
    with pytest.raises(UserError, match="a loss of its own"):
        make_trainer("Candle", "TRAINER.IMBALANCE_LOSS.NAME", "ldam")


def test_images_of_a_test_batch_look_at_each_other_only_when_asked(make_trainer):
    logits = []
    for together in ("False", "True"):
        for size in ("15", "1"):
            options = ("TRAINER.CANDLE.TEST_TOGETHER", together, "DATALOADER.TEST.BATCH_SIZE", size)
            trainer = make_trainer("Candle", *RARE, *options)
            trainer.set_model_mode("eval")
            with torch.no_grad():
                rows = [trainer.model(batch["img"]) for batch in trainer.test_loader]
            logits.append(torch.cat(rows))
    assert gap(logits[1], logits[0]) < 1e-4 < gap(logits[3], logits[2])
