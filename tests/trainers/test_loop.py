"""The loop over epochs: what it records, refuses and tells."""

import pytest

from npt_plugin.errors import UserError


def test_the_chosen_images_are_recorded_with_the_run(make_trainer, tmp_path):
    trainer = make_trainer("CoOp", "DATASET.IMBALANCE.RATIO", "0.5", output=tmp_path / "run")
    trainer.train()
    text = (tmp_path / "run" / "selection.json").read_text()
    for item in trainer.dm.dataset.train_x:
        assert item.impath.rsplit("/", 1)[1] in text


def test_a_class_without_an_image_is_named_before_training(make_trainer):
    trainer = make_trainer("CoOp")
    trainer.class_counts[1], trainer.classification_loss = 0, None  # as build_model leaves it
    name = trainer.classnames[1]
    with pytest.raises(UserError, match=rf"class 1 \({name}\) has no training image"):
        trainer.train()


def test_an_epoch_gives_its_averages_and_tells_the_schedules(make_trainer):
    trainer = make_trainer("NPT_CoOp", "OPTIM.MAX_EPOCH", "2", "TRAINER.NPT.WARMUP_EPOCH", "2")
    trainer.train()
    assert [entry["epoch"] for entry in trainer.history] == [1, 2]
    assert {"loss", "acc", "ce", "lc", "mi"} <= set(trainer.history[0])
    assert trainer.objective.ramp == 1.0 and trainer.train_seconds > 0
