"""Features that runs share: the same bits, the same draws, nothing decoded twice."""

from pathlib import Path

import pytest
import torch

from npt_plugin.runs.shared_features import SharedBatches, circumstances, images_key, in_order
from npt_plugin.system.random_state import rng_digest
from npt_plugin.system.shared import Shared, sharing
from npt_plugin.trainers.evaluate import collect_outputs

VIEWS = ("INPUT.CACHED_VIEWS", "2", "DATALOADER.TRAIN_X.BATCH_SIZE", "5")


def outcome(trainer):
    """What a test gives, and the random state after it."""
    trainer.set_model_mode("eval")
    torch.manual_seed(4)
    with torch.inference_mode():
        return (*collect_outputs(trainer, trainer.test_loader, None), rng_digest())


def assert_equal(one, other):
    *tensors, digest = one
    *others, after = other
    assert all(map(torch.equal, tensors, others)) and digest == after


@pytest.mark.parametrize("name", ["CoOp", "CoCoOp", "ZeroshotCLIP", "LinearProbe"])
@pytest.mark.parametrize("batch", ["4", "15"])  # 15: in two parts
def test_a_test_gives_the_same_bits_and_decodes_nothing(
    make_trainer, tmp_path, decoded, name, batch
):
    options = ("DATALOADER.TEST.BATCH_SIZE", batch)
    plain = outcome(make_trainer(name, *options))
    decoded.clear()
    with sharing(tmp_path / "shared"):
        assert_equal(outcome(make_trainer(name, *options)), plain)
        assert len(decoded) == 15
        assert_equal(outcome(make_trainer(name, *options, "SEED", "3")), plain)
    assert len(decoded) == 15


def test_methods_share_but_batches_of_another_size_do_not(make_trainer, tmp_path, decoded):
    with sharing(tmp_path / "shared"):
        outcome(make_trainer("CoOp"))
        decoded.clear()
        outcome(make_trainer("ZeroshotCLIP"))
        outcome(make_trainer("NPT_CoOp"))
        assert not decoded
        outcome(make_trainer("CoOp", "DATALOADER.TEST.BATCH_SIZE", "7"))
        assert len(decoded) == 15
        decoded.clear()
        outcome(make_trainer("LinearProbe"))  # features that are not normalised
        assert len(decoded) == 15


def test_views_are_shared_by_methods_of_one_seed_alone(make_trainer, tmp_path, decoded):
    plain = make_trainer("CoOp", *VIEWS).train_loader_x.features
    with sharing(tmp_path / "shared"):
        first = make_trainer("CoOp", *VIEWS).train_loader_x
        assert torch.equal(first.features, plain)
        decoded.clear()
        second = make_trainer("NPT_CoOp", *VIEWS).train_loader_x
        state = torch.get_rng_state()
        assert torch.equal(second.features, plain) and not decoded
        assert torch.equal(torch.get_rng_state(), state)
        labels = [batch["label"] for batch in first]
        torch.set_rng_state(state)
        assert all(map(torch.equal, labels, [batch["label"] for batch in second]))
        other = make_trainer("CoOp", *VIEWS, seed=1).train_loader_x
        assert not torch.equal(other.features, plain) and decoded
    by_image = ("DATALOADER.DETERMINISTIC_AUG", "True")
    plain = make_trainer("CoOp", *VIEWS, *by_image).train_loader_x.features
    with sharing(tmp_path / "shared"):
        for _ in range(2):
            again = make_trainer("CoOp", *VIEWS, *by_image).train_loader_x
            assert torch.equal(again.features, plain)


def test_a_whole_training_is_the_same(make_trainer, tmp_path):
    """Testing after each epoch draws from the random state that training goes on with."""
    options = (*VIEWS, "TEST.FINAL_MODEL", "best_val", "DATASET.NUM_SHOTS", "3")

    def learned(place):
        trainer = make_trainer("CoOp", *options, output=tmp_path / place)
        trainer.train()
        return trainer.model.prompt_learner.ctx.detach().clone()

    plain = learned("plain")
    with sharing(tmp_path / "shared"):
        assert torch.equal(learned("first"), plain)
        assert torch.equal(learned("second"), plain)


def test_two_that_test_at_once_divide_the_batches(make_trainer, tmp_path, decoded):
    trainer = make_trainer("CoOp", "DATALOADER.TEST.BATCH_SIZE", "5")
    common = Shared(tmp_path)
    mine = SharedBatches(common, trainer.test_loader, trainer.model, trainer.device)
    keys = {part: mine._key(part) for (part,) in mine.parts}
    end = common.claim(keys[range(5, 10)])  # another process is at it
    decoded.clear()
    mine._encode_missing(keys)
    assert len(decoded) == 10 and [*map(common.has, keys.values())] == [True, False, True]
    end()
    assert len(list(mine)) == len(mine) == 3 and len(decoded) == 15


@pytest.mark.parametrize(
    ("at_once", "size", "parts"),
    [(8, 15, [8]), (8, 40, [8] * 4), (8, 70, [16] * 4), (32, 15, []), (32, 70, [32] * 2)],
)
def test_they_divide_a_batch_where_its_images_do_not_depend_on_each_other(
    make_trainer, tmp_path, at_once, size, parts, monkeypatch
):
    trainer = make_trainer("CoOp", "DATALOADER.TEST.BATCH_SIZE", str(size))
    trainer.set_model_mode("eval")
    images, tower = torch.randn(size, 3, 32, 32), trainer.model.image_encoder
    common, loader = Shared(tmp_path), trainer.test_loader
    monkeypatch.setattr(type(tower), "at_once", at_once)
    monkeypatch.setattr(loader.dataset, "data_source", loader.dataset.data_source * 5)
    mine = SharedBatches(common, loader, trainer.model, trainer.device)
    whole = trainer.model.image_features(images)
    assert mine.model.at_once == at_once
    assert [part.stop - part.start for part in mine.parts[0][:-1]] == parts
    for part in mine.parts[0]:  # to the bit
        assert torch.equal(
            trainer.model.image_features(images[part.start : part.stop]),
            whole[part.start : part.stop],
        )
    gpu = torch.device("cuda")  # takes all that it is given
    assert SharedBatches(common, loader, trainer.model, gpu).parts[0] == [range(size)]
    monkeypatch.setattr(type(tower), "at_once", 0)
    assert SharedBatches(common, loader, trainer.model, trainer.device).parts[0] == [range(size)]


def test_a_model_with_more_than_its_tower_takes_whole_batches(make_trainer):
    model = make_trainer("CoOp").model

    class More(type(model)):
        def encode_images(self, images):
            return self.image_encoder(images) - self.image_encoder(images).mean(dim=0)

    assert model.at_once == model.image_encoder.at_once == 32
    model.__class__ = More
    assert model.at_once == 0


def test_a_file_that_changed_is_another_image_and_one_that_is_gone_has_no_key(tmp_path):
    files = [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    for file in files:
        file.write_bytes(b"picture")
    paths = [str(file) for file in files]
    keys = {images_key(paths), images_key(paths[::-1]), images_key(paths[:1])}
    files[0].write_bytes(b"another picture")
    keys.add(images_key(paths))
    assert len(keys) == 4 and None not in keys
    files[1].unlink()
    assert images_key(paths) is None


def test_an_image_that_is_gone_is_said_by_who_reads_it(make_trainer, tmp_path, pets_root):
    trainer = make_trainer("CoOp")
    item = trainer.test_loader.dataset.data_source[3]
    item._impath = str(Path(item.impath).with_name("gone.jpg"))
    with sharing(tmp_path), pytest.raises(Exception, match=r"gone\.jpg"):
        outcome(trainer)


def test_threads_and_autocast_count(make_trainer):
    trainer = make_trainer("CoOp")
    dataset = trainer.test_loader.dataset
    found = {circumstances(trainer.model, dataset, trainer.device)}
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    found.add(circumstances(trainer.model, dataset, trainer.device))
    torch.set_num_threads(threads)
    with torch.autocast("cpu", torch.bfloat16):
        found.add(circumstances(trainer.model, dataset, trainer.device))
    assert len(found) == 3
    assert in_order(trainer.test_loader) and not in_order(trainer.train_loader_x)
