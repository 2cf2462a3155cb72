"""What each process reads is its part of what one would read, image by image."""

import pytest
import torch

from npt_plugin.system import ranks
from npt_plugin.system.random_state import set_random_seed
from npt_plugin.trainers.shares import ShareLoader, own_part


@pytest.fixture(autouse=True)
def alone_again():
    yield
    ranks.belong()


def batches(loader, size=1, rank=0):
    ranks.belong(size, rank)
    set_random_seed(5)
    if size > 1:
        loader = ShareLoader(loader)
    if hasattr(loader, "set_epoch"):
        loader.set_epoch(1)
    return [*loader, *loader]


@pytest.mark.parametrize("in_turn", ["False", "True"])
@pytest.mark.parametrize("size", [2, 3])
def test_rows_are_those_of_one_process(make_trainer, size, in_turn):
    trainer = make_trainer("CoOp", "DATALOADER.DETERMINISTIC_AUG", in_turn)
    whole = batches(trainer.train_loader_x)
    parts = [batches(trainer.train_loader_x, size, rank) for rank in range(size)]
    for batch, *shares in zip(whole, *parts, strict=True):
        assert torch.equal(torch.cat([share["img"] for share in shares]), batch["img"])
        assert all(torch.equal(share["label"], batch["label"]) for share in shares)


def test_images_of_others_are_not_read(make_trainer, monkeypatch):
    trainer = make_trainer("CoOp", "DATALOADER.DETERMINISTIC_AUG", "True")
    dataset, read = trainer.train_loader_x.dataset, []
    plain = type(dataset).__getitem__
    monkeypatch.setattr(
        type(dataset), "__getitem__", lambda self, i: (read.append(i), plain(self, i))[1]
    )
    ranks.belong(2, 1)
    for batch in ShareLoader(trainer.train_loader_x):
        assert len(batch["label"]) == 4 and len(batch["img"]) == 2
    assert len(read) == len(set(read)) == 6


def test_fewer_images_than_processes(make_trainer):
    trainer = make_trainer("CoOp", "DATALOADER.TRAIN_X.BATCH_SIZE", "1")
    ranks.belong(2, 1)
    assert all(len(batch["img"]) == 1 for batch in ShareLoader(trainer.train_loader_x))


@pytest.mark.parametrize("images", [4, 100])
@pytest.mark.parametrize("size", [2, 3, 5])
def test_parts_of_a_test_set_are_whole_batches_in_order(make_trainer, size, images):
    trainer = make_trainer("ZeroshotCLIP", "DATALOADER.TEST.BATCH_SIZE", str(images))
    found = []
    for rank in range(size):
        ranks.belong(size, rank)
        part, counts = own_part(trainer.test_loader)
        seen = [batch["impath"] for batch in part]
        assert seen  # at least a stand-in
        if counts[rank]:
            assert sum(map(len, seen)) == counts[rank]
            found += seen
    assert found == [batch["impath"] for batch in trainer.test_loader]


def test_what_cannot_be_divided_belongs_to_the_first(make_trainer):
    loader = make_trainer("ZeroshotCLIP").test_loader
    loader.dataset.data_source, items = None, loader.dataset.data_source
    loader.dataset.__class__ = type("Odd", (type(loader.dataset),), {"__len__": lambda self: 15})
    ranks.belong(2, 1)
    assert own_part(loader) == (loader, [15, 0]) and items
