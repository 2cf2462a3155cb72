import pytest
import torch
from minidassl.data import DataManager, DatasetWrapper
from minidassl.data.data_manager import build_data_loader
from minidassl.data.datasets import DATASET_REGISTRY, DatasetBase, Datum
from minidassl.data.transforms import build_transform
from minidassl.errors import DataError
from minidassl.utils import read_image, set_random_seed


def test_batches_have_what_trainers_read(cfg, images):
    manager = DataManager(cfg)
    batch = next(iter(manager.train_loader_x))
    assert sorted(batch) == ["domain", "img", "impath", "index", "label"]
    assert batch["img"].shape == (5, 3, 16, 16)
    for label, domain, path, index in zip(
        batch["label"], batch["domain"], batch["impath"], batch["index"], strict=True
    ):
        item = images["train"][index]
        assert (item.label, item.domain, item.impath) == (label, domain, path)
    assert manager.num_classes == 3 and manager.lab2cname[2] == "blue"
    assert manager.num_source_domains == 0 and manager.train_loader_u is None


def test_training_drops_the_rest_and_testing_does_not(cfg):
    manager = DataManager(cfg)
    assert [len(b["label"]) for b in manager.train_loader_x] == [5, 5, 5, 5]  # of 24
    assert sum(len(b["label"]) for b in manager.test_loader) == 12
    cfg.DATALOADER.TRAIN_X.BATCH_SIZE = 25
    assert [len(b["label"]) for b in DataManager(cfg).train_loader_x] == [24]


def test_same_seed_same_batches(cfg):
    def epoch(seed):
        set_random_seed(seed)
        return torch.cat([b["img"] for b in DataManager(cfg).train_loader_x])

    assert torch.equal(epoch(0), epoch(0)) and not torch.equal(epoch(0), epoch(1))


def test_test_batches_are_the_files_in_order(cfg, images):
    transform = build_transform(cfg, is_train=False)
    expected = torch.stack([transform(read_image(item.impath)) for item in images["test"]])
    got = torch.cat([batch["img"] for batch in DataManager(cfg).test_loader])
    assert torch.equal(got, expected)


def test_summary(cfg, capsys):
    DataManager(cfg)
    assert "# classes  3\n# train_x  24\n# val      6\n# test     12\n" in capsys.readouterr().out


def test_views_and_plain_image(cfg, images):
    cfg.DATALOADER.K_TRANSFORMS = 2
    cfg.DATALOADER.RETURN_IMG0 = True
    set_random_seed(0)
    item = DatasetWrapper(cfg, images["train"], build_transform(cfg), is_train=True)[0]
    assert len(item["img"]) == 2 and not torch.equal(*item["img"])
    assert item["img0"].shape == (3, 16, 16)
    tested = DatasetWrapper(cfg, images["train"], build_transform(cfg, False), is_train=False)[0]
    assert isinstance(tested["img"], torch.Tensor)
    with pytest.raises(ValueError, match="2"):
        DatasetWrapper(cfg, images["train"], None, is_train=True)


def test_several_transforms(cfg, images):
    item = DatasetWrapper(cfg, images["train"], [lambda image: 1, lambda image: 2])[0]
    assert (item["img"], item["img2"]) == (1, 2)


def test_custom_parts(cfg, capsys):
    class Marked(DatasetWrapper):
        def __getitem__(self, idx):
            return super().__getitem__(idx)["img"]

    manager = DataManager(cfg, custom_tfm_train=lambda image: 7, dataset_wrapper=Marked)
    assert next(iter(manager.train_loader_x)).tolist() == [7] * 5
    assert "* Using custom transform for training" in capsys.readouterr().out


def test_unlabelled_loader(cfg, images, register):
    class WithUnlabelled(DatasetBase):
        def __init__(self, cfg):
            super().__init__(images["train"], images["train"][:9], test=images["test"])

    cfg.DATASET.NAME = register(DATASET_REGISTRY, WithUnlabelled)
    assert len(DataManager(cfg).train_loader_u) == 1  # batches of 5, as labelled ones
    cfg.DATALOADER.TRAIN_U.SAME_AS_X = False
    cfg.DATALOADER.TRAIN_U.BATCH_SIZE = 3
    manager = DataManager(cfg)
    assert len(manager.train_loader_u) == 3 and manager.val_loader is None


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("content", [b"no image", b"\x89PNG\r\n\x1a\n half"])
def test_corrupt_image_is_named_by_its_path(cfg, images, tmp_path, workers, content):
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    cfg.DATALOADER.NUM_WORKERS = workers
    samples = [*images["train"][:3], Datum(str(path), 0)]
    loader = build_data_loader(cfg, data_source=samples, tfm=build_transform(cfg), is_train=False)
    batches = iter(loader)
    with pytest.raises(DataError) as caught:
        list(batches)
    if workers:
        batches._shutdown_workers()  # left to the garbage collector it takes five seconds
    sentence = str(caught.value)
    assert sentence.startswith(f"Cannot read the image {path} (") and "\n" not in sentence


def test_truncated_image_is_named(images, tmp_path):
    with open(images["train"][0].impath, "rb") as file:
        whole = file.read()
    path = tmp_path / "cut.png"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="cut.png"):
        read_image(str(path))


def test_empty_split_and_impossible_batch(cfg, images):
    with pytest.raises(DataError, match="empty"):
        build_data_loader(cfg, data_source=[])
    # two classes of 10 (8, filled up) make 20 samples, fewer than the batch
    with pytest.raises(DataError, match="RandomClassSampler makes no batch of 24 out of 24"):
        build_data_loader(
            cfg, "RandomClassSampler", images["train"], 24, n_ins=10, tfm=build_transform(cfg)
        )
