"""Cache, deterministic augmentation, workers and samplers, through the Dassl in use."""

from __future__ import annotations

import importlib
import os
import pickle
import random
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from data_cfg import make_cfg
from mini_trees import put
from PIL import Image

from npt_plugin.datasets.loading import (
    EpochLoader,
    Loading,
    ReadingWrapper,
    install,
    require_imbalance,
    resolve_workers,
)
from npt_plugin.datasets.names import reader
from npt_plugin.datasets.samplers import ClassBalancedSampler
from npt_plugin.engine.framework import BACKEND, DatasetBase, DatasetWrapper, Datum, build_transform
from npt_plugin.errors import UserError


@pytest.fixture
def items(tmp_path: Path) -> list[Datum]:
    rng = np.random.RandomState(0)
    out = []
    for number in range(12):
        path = tmp_path / f"bild ü {number}.png"
        Image.fromarray(rng.randint(0, 256, (40, 50, 3), dtype=np.uint8)).save(path)
        out.append(Datum(str(path), int(number > 8), 0, f"c{int(number > 8)}"))
    return out


@pytest.fixture
def patched() -> types.SimpleNamespace:
    """The engine's data_manager module with our additions."""
    install()
    module = importlib.import_module(f"{BACKEND}.data.data_manager")
    return types.SimpleNamespace(module=module)


def _cfg(**keys: Any) -> Any:
    cfg = make_cfg(".", seed=keys.pop("seed", 1)).clone()
    cfg.defrost()
    cfg.INPUT.TRANSFORMS = ("random_resized_crop", "random_flip", "normalize")
    cfg.INPUT.SIZE = (32, 32)
    cfg.DATALOADER.NUM_WORKERS = 0
    cfg.DATALOADER.TRAIN_X.BATCH_SIZE = 4
    for key, value in keys.items():
        node, _, leaf = key.rpartition("__")
        target = cfg
        for part in node.split("__"):
            target = target[part]
        target[leaf] = value
    cfg.freeze()
    return cfg


def _loader(module: Any, cfg: Any, items: list[Datum], name: str = "SequentialSampler") -> Any:
    return module.build_data_loader(
        cfg,
        sampler_type=name,
        data_source=items,
        batch_size=4,
        tfm=build_transform(cfg, is_train=True),
        is_train=True,
    )


def _images(loader: Any) -> torch.Tensor:
    return torch.cat([batch["img"] for batch in loader])


def test_defaults_change_nothing(items: list[Datum], patched: Any) -> None:
    cfg = _cfg()
    results = []
    for make in (DatasetWrapper, ReadingWrapper):
        random.seed(3)
        torch.manual_seed(3)
        data = make(cfg, items, transform=build_transform(cfg, is_train=True), is_train=True)
        results.append([data[i] for i in range(len(items))])
        results[-1].append(torch.rand(1))
    for theirs, mine in zip(*results, strict=True):
        if isinstance(theirs, dict):
            assert theirs.keys() == mine.keys()
            assert torch.equal(theirs.pop("img"), mine.pop("img")) and theirs == mine
        else:
            assert torch.equal(theirs, mine)  # the generator was used the same number of times


def test_keys_that_a_changed_dassl_adds_stay(items: list[Datum], monkeypatch: Any) -> None:
    """With cache and deterministic augmentation; its reading of images is ours only meanwhile."""
    plain = DatasetWrapper.__getitem__
    module = importlib.import_module(DatasetWrapper.__module__)
    before = module.read_image

    def with_more(self: Any, idx: int) -> dict[str, Any]:
        return {**plain(self, idx), "shot": idx % 3, "reader": module.read_image is before}

    monkeypatch.setattr(DatasetWrapper, "__getitem__", with_more)
    cfg = _cfg(INPUT__IMAGE_CACHE="memory", DATALOADER__DETERMINISTIC_AUG=True)
    data = ReadingWrapper(cfg, items, transform=build_transform(cfg, is_train=True), is_train=True)
    data.clock.next_pass()
    first = data[5]
    assert first["shot"] == 2 and not first["reader"] and module.read_image is before
    assert torch.equal(first["img"], data[5]["img"]) and list(data.images.kept) == [items[5].impath]


def test_a_dassl_that_reads_by_itself_has_no_cache(items: list[Datum], monkeypatch: Any) -> None:
    monkeypatch.delattr(importlib.import_module(DatasetWrapper.__module__), "read_image")
    with pytest.raises(UserError, match="IMAGE_CACHE is 'memory', but this project's Dassl reads"):
        ReadingWrapper(_cfg(INPUT__IMAGE_CACHE="memory"), items, is_train=True)


def test_several_views_match_the_engine(items: list[Datum], patched: Any) -> None:
    cfg = _cfg(DATALOADER__K_TRANSFORMS=2, DATALOADER__RETURN_IMG0=True)
    tfm = [build_transform(cfg, is_train=True)] * 2
    got = []
    for make in (DatasetWrapper, ReadingWrapper):
        torch.manual_seed(3)
        got.append(make(cfg, items, transform=tfm, is_train=True)[2])
    assert got[0].keys() == got[1].keys() and {"img", "img2", "img0"} <= got[0].keys()
    for k in range(2):
        assert torch.equal(got[0]["img"][k], got[1]["img"][k])
        assert torch.equal(got[0]["img2"][k], got[1]["img2"][k])
    assert torch.equal(got[0]["img0"], got[1]["img0"])


def test_augmentation_by_seed_epoch_image_whatever_the_workers(
    items: list[Datum], patched: Any
) -> None:
    runs = []
    for workers, noise in ((0, 1), (1, 2), (2, 3)):
        torch.manual_seed(noise)  # the global state must not matter
        cfg = _cfg(DATALOADER__DETERMINISTIC_AUG=True, DATALOADER__NUM_WORKERS=workers)
        loader = _loader(patched.module, cfg, items)
        assert isinstance(loader, EpochLoader)
        runs.append([_images(loader), _images(loader)])
    assert all(torch.equal(a, b) for run in runs[1:] for a, b in zip(runs[0], run, strict=True))
    assert not torch.equal(runs[0][0], runs[0][1])  # the next epoch augments anew
    other = _loader(patched.module, _cfg(DATALOADER__DETERMINISTIC_AUG=True, seed=2), items)
    assert not torch.equal(_images(other), runs[0][0])


def test_resumed_epoch_augments_as_the_uninterrupted_one(items: list[Datum], patched: Any) -> None:
    cfg = _cfg(DATALOADER__DETERMINISTIC_AUG=True)
    straight, resumed = (_loader(patched.module, cfg, items) for _ in range(2))
    epochs = []
    for epoch in range(3):
        straight.set_epoch(epoch)
        epochs.append(_images(straight))
    assert not torch.equal(epochs[0], epochs[1])
    resumed.set_epoch(2)
    assert torch.equal(_images(resumed), epochs[2])
    resumed.set_epoch(2)
    first, second = _images(resumed), _images(resumed)
    assert torch.equal(first, epochs[2]) and not torch.equal(first, second)  # passes of one epoch


def test_workers_that_live_on_hear_of_the_next_epoch(items: list[Datum], patched: Any) -> None:
    cfg = _cfg(DATALOADER__DETERMINISTIC_AUG=True)
    here, there = (_loader(patched.module, cfg, items).dataset for _ in range(2))
    loader = torch.utils.data.DataLoader(there, 4, num_workers=1, persistent_workers=True)
    for epoch in range(2):
        here.clock.set_epoch(epoch)
        there.clock.set_epoch(epoch)
        expected = torch.stack([here[i]["img"] for i in range(len(here))])
        assert torch.equal(_images(loader), expected)


def test_augmentation_leaves_the_global_generators_alone(items: list[Datum], patched: Any) -> None:
    data = _loader(patched.module, _cfg(DATALOADER__DETERMINISTIC_AUG=True), items).dataset
    before = torch.get_rng_state(), random.getstate()
    data[0]
    assert torch.equal(before[0], torch.get_rng_state()) and before[1] == random.getstate()


@pytest.mark.parametrize("workers", [0, 2])
def test_cached_images_give_the_same_batches(
    items: list[Datum], patched: Any, workers: int
) -> None:
    keys = {"DATALOADER__NUM_WORKERS": workers, "DATALOADER__DETERMINISTIC_AUG": True}
    plain = _loader(patched.module, _cfg(**keys), items)
    cached = _loader(patched.module, _cfg(**keys, INPUT__IMAGE_CACHE="memory"), items)
    for _ in range(2):
        assert torch.equal(_images(plain), _images(cached))


@pytest.mark.parametrize("workers", [0, 1])
def test_truncated_image_is_named_also_from_a_worker(
    items: list[Datum], patched: Any, workers: int
) -> None:
    path = Path(items[5].impath)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(UserError) as caught:
        _images(_loader(patched.module, _cfg(DATALOADER__NUM_WORKERS=workers), items))
    message = str(caught.value)
    assert message.startswith(f"The image '{path}' cannot be read") and "\n" not in message


def test_our_samplers_by_name_and_the_nearest_name(items: list[Datum], patched: Any) -> None:
    loader = _loader(patched.module, _cfg(), items, "ClassBalancedSampler")
    assert isinstance(loader.sampler, ClassBalancedSampler) and isinstance(loader, EpochLoader)
    loader.set_epoch(4)
    assert loader.sampler.epoch == 4
    labels = torch.cat([b["label"] for _ in range(30) for b in loader])
    assert 0.35 < labels.double().mean() < 0.65  # 3 of 12 items are of class 1
    with pytest.raises(UserError, match="did you mean 'ClassBalancedSampler'"):
        _loader(patched.module, _cfg(), items, "ClassBalanceSampler")
    assert type(_loader(patched.module, _cfg(), items, "RandomSampler").sampler).__name__ == (
        "RandomSampler"
    )


def test_workers() -> None:
    usable = len(os.sched_getaffinity(0))
    assert resolve_workers(-1) == (min(usable, 8) if usable > 1 else 0)
    assert resolve_workers(0) == 0 and resolve_workers(5) == 5
    with pytest.raises(UserError, match="NUM_WORKERS is -2"):
        resolve_workers(-2)


def test_automatic_workers_reach_the_loader(items: list[Datum], patched: Any) -> None:
    loader = _loader(patched.module, _cfg(DATALOADER__NUM_WORKERS=-1), items)
    assert loader.num_workers == resolve_workers(-1)


def test_every_loader_reads_through_our_wrapper(items: list[Datum], patched: Any) -> None:
    install()  # twice is once
    made = _loader(patched.module, _cfg(), items)
    assert type(made.dataset) is ReadingWrapper and type(made) is torch.utils.data.DataLoader


def test_an_epoch_loader_keeps_every_setting(items: list[Datum]) -> None:
    plain = torch.utils.data.DataLoader(
        ReadingWrapper(_cfg(DATALOADER__DETERMINISTIC_AUG=True), items, is_train=True),
        batch_size=5,
        sampler=ClassBalancedSampler([0] * 12, 1),
        num_workers=1,
        collate_fn=list,
        drop_last=True,
        timeout=7,
        worker_init_fn=print,
        prefetch_factor=3,
        persistent_workers=True,
        generator=torch.Generator(),
    )
    made = Loading().loader(plain)
    assert type(made) is EpochLoader
    kept = {name: value for name, value in vars(plain).items() if "batch_sampler" not in name}
    assert {name: vars(made)[name] for name in kept} == kept
    assert made.batch_sampler.drop_last and made.batch_sampler.batch_size == 5


def test_a_spawned_worker_finds_the_wrapper(items: list[Datum]) -> None:
    """Workers are not forked on macOS and Windows: what they get is pickled."""
    wrapper = ReadingWrapper(_cfg(DATALOADER__DETERMINISTIC_AUG=True), items, is_train=True)
    again = pickle.loads(pickle.dumps(wrapper))
    assert type(again) is ReadingWrapper and again[3]["impath"] == wrapper[3]["impath"]


def test_a_class_that_ignores_imbalance_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "t/train/x/a.jpg")
    put(tmp_path / "t/test/x/a.jpg")

    class DeafDataset(DatasetBase):
        def __init__(self) -> None:
            item = Datum(str(tmp_path / "t/test/x/a.jpg"), 0, 0, "a")
            super().__init__(train_x=[item], test=[item])

    Loading().check_dataset(make_cfg(tmp_path), DeafDataset())
    skewed = make_cfg(tmp_path / "t", imbalance={"RATIO": 0.5})
    with pytest.raises(UserError, match="ignores it; use DATASET.NAME ImbalancedDeafDataset"):
        Loading().check_dataset(skewed, DeafDataset())
    require_imbalance(skewed, reader("ImageFolder")(skewed))  # ours listen
