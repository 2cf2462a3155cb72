"""The training loader: steps spread over epochs, features in the images' place."""

from itertools import chain, islice

import pytest
import torch
from tolerance import DOUBLE, gap

from npt_plugin.datasets import images
from npt_plugin.errors import UserError
from npt_plugin.runs.recorder import describe_run
from npt_plugin.trainers import loaders
from npt_plugin.trainers.loaders import FeatureCacheLoader, FixedStepsLoader, balanced_steps


def test_steps_are_spread_over_the_epochs(make_trainer, tmp_path):
    trainer = make_trainer("CoOp", "TRAIN.STEPS", "13", "OPTIM.MAX_EPOCH", "4")
    taken = []
    step = trainer.optim.step
    trainer.optim.step = lambda *a: (taken.append(trainer.epoch), step(*a))
    trainer.train()
    assert [taken.count(e) for e in range(4)] == [3, 3, 3, 4]


def test_equal_steps_are_those_of_the_balanced_set(make_trainer):
    few = ("DATASET.NUM_SHOTS", "4", "DATALOADER.TRAIN_X.BATCH_SIZE", "3", "OPTIM.MAX_EPOCH", "2")
    balanced = make_trainer("CoOp", *few)
    steps = len(balanced.train_loader_x) * 2
    skewed = make_trainer("CoOp", *few, "DATASET.IMBALANCE.RATIO", "0.25", "TRAIN.STEPS", "-1")
    assert len(skewed.dm.dataset.train_x) < len(balanced.dm.dataset.train_x)
    assert skewed.train_loader_x.steps == steps
    assert describe_run(skewed).steps == steps


def test_equal_steps_need_a_dataset_that_knows_its_balanced_size(make_trainer):
    trainer = make_trainer("CoOp")
    del trainer.dm.dataset.balanced_images
    with pytest.raises(UserError, match=r"TRAIN\.STEPS is -1"):
        balanced_steps(trainer)


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


class Counted:
    """A loader of three batches that counts its passes and knows its epoch."""

    passes, epoch = 0, None

    def __iter__(self):
        self.passes += 1
        yield from (f"{self.passes}{letter}" for letter in "abc")

    def set_epoch(self, epoch):
        self.epoch = epoch


@pytest.mark.parametrize("steps, epochs", [(4, 4), (13, 4), (100, 7), (5, 1), (11, 10)])
def test_the_steps_of_all_epochs_are_those_asked_for_spread_evenly(steps, epochs):
    loader = FixedStepsLoader(Counted(), steps, epochs)
    taken = []
    for epoch in range(epochs):
        loader.set_epoch(epoch)
        taken.append(len(list(loader)))
        assert taken[-1] == len(loader) and loader.loader.epoch == epoch
    assert sum(taken) == steps and max(taken) - min(taken) <= 1


def test_a_short_set_is_shuffled_again_as_often_as_needed():
    inner = Counted()
    assert list(FixedStepsLoader(inner, 7, 1)) == ["1a", "1b", "1c", "2a", "2b", "2c", "3a"]
    assert inner.passes == 3


def test_fewer_steps_than_epochs_are_refused():
    with pytest.raises(UserError, match="STEPS is 3, fewer than OPTIM.MAX_EPOCH 4"):
        FixedStepsLoader(Counted(), 3, 4)


def test_a_batch_of_features_has_its_images_labels_and_one_of_their_views(make_trainer):
    trainer = make_trainer("CoOp", "INPUT.CACHED_VIEWS", "3")
    loader = trainer.train_loader_x
    items = trainer.dm.dataset.train_x
    places = {item.impath: n for n, item in enumerate(items)}
    assert loader.features.shape == (12, 3, 48) and len(loader) == 3
    seen, views_seen = [], set()
    for batch in chain.from_iterable([loader] * 5):
        rows = zip(batch["features"], batch["label"], batch["impath"], strict=True)
        for feature, label, path in rows:
            assert items[places[path]].label == label
            views = loader.features[places[path]]
            (view,) = [v for v in range(3) if torch.equal(feature, views[v])]
            views_seen.add(view)
            seen.append(path)
    assert sorted(seen) == sorted([*places] * 5)  # each image once in a pass
    assert views_seen == {0, 1, 2}


def test_both_wrappers_go_together(make_trainer):
    options = ("INPUT.CACHED_VIEWS", "2", "TRAIN.STEPS", "10", "OPTIM.MAX_EPOCH", "2")
    loader = make_trainer("CoOp", *options).train_loader_x
    assert isinstance(loader, FixedStepsLoader) and isinstance(loader.loader, FeatureCacheLoader)
    assert all("features" in batch for batch in islice(loader, 5)) and len(loader) == 5


def test_each_image_is_decoded_once_for_all_its_views(make_trainer, monkeypatch):
    trainer, read = make_trainer("CoOp", "INPUT.CACHED_VIEWS", "3"), []
    plain = images.read_image
    monkeypatch.setattr(images, "read_image", lambda path: read.append(path) or plain(path))
    few = trainer.train_loader_x.features
    assert sorted(read) == sorted(item.impath for item in trainer.dm.dataset.train_x)
    again = make_trainer("CoOp", "INPUT.CACHED_VIEWS", "3")
    monkeypatch.setattr(loaders, "_DECODED", 0)
    assert torch.equal(again.train_loader_x.features, few)  # no room: read for each view, as before
    assert len(read) == (1 + 3) * len(few)
