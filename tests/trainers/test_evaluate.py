"""Evaluation: the logits it collects, and what it must not change."""

import pytest
import torch
from tolerance import DOUBLE, gap

from npt_plugin.evaluation.posthoc import posthoc_adjust
from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import read_record
from npt_plugin.trainers.evaluate import collapse_now, collect_outputs


def test_looking_at_the_collapse_changes_nothing(make_trainer, tmp_path):
    records = []
    for every in ("0", "1"):
        trainer = make_trainer("CoOp", "TEST.NC_PER_EPOCH", every, output=tmp_path / every)
        trainer.train()
        records.append(read_record(tmp_path / every / RESULTS))
    assert records[0].metrics == records[1].metrics
    assert records[0].config_hash == records[1].config_hash


def one_by_one(trainer):
    """Every test image on its own, in the loader's order."""
    images, labels = [], []
    for batch in trainer.test_loader:
        images += list(batch["img"])
        labels += batch["label"].tolist()
    with torch.no_grad():
        return [trainer.model.encode(image[None]) for image in images], labels


@pytest.mark.numerics
@pytest.mark.parametrize("name", ["CoOp", "CoCoOp", "LinearProbe"])
def test_what_is_collected_is_what_each_image_gives_alone(make_trainer, name):
    trainer = make_trainer(name, "DATALOADER.TEST.BATCH_SIZE", "7")
    trainer.set_model_mode("eval")
    with torch.inference_mode():
        logits, labels, features, text = collect_outputs(trainer, trainer.test_loader, None)
    alone, expected = one_by_one(trainer)
    assert labels.tolist() == expected and logits.shape == (15, 3)
    assert gap(logits, torch.cat([out.logits for out in alone])) <= DOUBLE
    assert gap(features, torch.cat([out.image_features for out in alone])) <= DOUBLE
    texts = torch.stack([out.text_features.view(3, -1) for out in alone])  # (N, K, D)
    assert gap(text, texts.mean(0)) <= DOUBLE  # CoCoOp's differ by image


@pytest.mark.numerics
@pytest.mark.parametrize("classes", ["base", "new"])
def test_the_training_prior_is_taken_out_of_the_classes_trained_on_only(make_trainer, classes):
    options = ("DATASET.IMBALANCE.RATIO", "0.5", "DATASET.SUBSAMPLE_CLASSES", classes)
    plain = make_trainer("CoOp", *options)
    adjusted = make_trainer("CoOp", *options, "TRAINER.IMBALANCE_LOSS.POSTHOC_TAU", "1.5")
    logits = []
    for trainer in (plain, adjusted):
        trainer.set_model_mode("eval")
        with torch.inference_mode():
            logits.append(collect_outputs(trainer, trainer.test_loader, None)[0])
    expected = logits[0]
    if classes == "base":
        expected = posthoc_adjust(expected, plain.class_counts, 1.5)
    assert gap(logits[1], expected) <= DOUBLE


def test_the_split_is_the_one_asked_for_and_only_a_test_leaves_a_record(make_trainer, tmp_path):
    trainer = make_trainer("CoOp", output=tmp_path / "run")
    seen = []
    trainer.evaluator.process = lambda logits, labels: seen.append(len(labels))
    trainer.evaluator.evaluate = lambda: {"accuracy": 0.0}
    trainer.test("val")
    assert sum(seen) == len(trainer.dm.dataset.val) and not (tmp_path / "run" / RESULTS).exists()
    seen.clear()
    trainer.test()
    assert sum(seen) == 15 and read_record(tmp_path / "run" / RESULTS).status == "completed"
    seen.clear()
    trainer.val_loader = None  # a set without one is tested
    trainer.test("val")
    assert sum(seen) == 15


def test_a_look_at_the_collapse_moves_no_random_state(make_trainer):
    trainer = make_trainer("CoOp")
    torch.manual_seed(5)
    state = torch.get_rng_state()
    found = collapse_now(trainer)
    assert torch.equal(torch.get_rng_state(), state)
    assert 0 <= found["accuracy"] <= 100 and "nc3_distance" in found
