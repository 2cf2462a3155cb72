"""The training loader: steps spread over epochs, features in the images' place."""

import pytest
import torch
from tolerance import DOUBLE, gap

from npt_plugin.errors import UserError
from npt_plugin.trainers.loaders import FeatureCacheLoader


def test_steps_are_spread_over_the_epochs(make_trainer, tmp_path):
    trainer = make_trainer("CoOp", "TRAIN.STEPS", "13", "OPTIM.MAX_EPOCH", "4")
    taken = []
    step = trainer.optim.step
    trainer.optim.step = lambda *a: (taken.append(trainer.epoch), step(*a))
    trainer.train()
    assert [taken.count(e) for e in range(4)] == [3, 3, 3, 4]


@pytest.mark.numerics
def test_cached_features_are_those_of_the_images(make_trainer):
    """Without augmentation every view is the image itself, so training must not differ."""
    options = ("INPUT.TRANSFORMS", "(normalize,)", "DATALOADER.TRAIN_X.BATCH_SIZE", "12")
    plain = make_trainer("CoOp", *options)
    cached = make_trainer("CoOp", *options, "INPUT.CACHED_VIEWS", "2")
    batches = [next(iter(t.train_loader_x)) for t in (plain, cached)]
    with torch.no_grad():
        direct = plain.model.image_features(batches[0]["img"])
    stored = dict(zip(batches[1]["impath"], batches[1]["features"], strict=True))
    for path, feature in zip(batches[0]["impath"], direct, strict=True):
        assert gap(stored[path], feature) <= DOUBLE


def test_views_do_not_depend_on_when_they_are_encoded(make_trainer):
    """A resumed run encodes them later, with other random states and at another epoch."""

    options = ("DATALOADER.TRAIN_X.BATCH_SIZE", "12", "INPUT.CACHED_VIEWS", "2")
    early, late = (make_trainer("CoOp", *options).train_loader_x for _ in range(2))
    early.set_epoch(7)
    first = early.features
    torch.manual_seed(99)
    late.set_epoch(7)
    before = torch.get_rng_state()
    assert torch.equal(late.features, first)
    assert torch.equal(torch.get_rng_state(), before)
    assert late.epoch == 7


def test_evaluation_encodes_no_training_views(make_trainer, monkeypatch):
    trainer = make_trainer("CoOp", "INPUT.CACHED_VIEWS", "2")
    monkeypatch.setattr(FeatureCacheLoader, "_encode", lambda self: pytest.fail("encoded"))
    trainer.test()


def test_feature_cache_is_refused_where_the_image_side_learns(make_trainer):
    with pytest.raises(UserError, match="learns the image side"):
        make_trainer("MaPLe", "INPUT.CACHED_VIEWS", "2")


def test_cached_views_differ_also_with_deterministic_augmentation(make_trainer):
    options = ("DATALOADER.DETERMINISTIC_AUG", "True", "INPUT.CACHED_VIEWS", "2")
    features = make_trainer("CoOp", *options).train_loader_x.features  # (N, V, D)
    assert not torch.allclose(features[:, 0], features[:, 1])
    assert torch.equal(features, make_trainer("CoOp", *options).train_loader_x.features)
