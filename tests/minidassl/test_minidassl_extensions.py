"""Where a project joins in: each point is asked at the right time, and changes nothing unasked."""

from __future__ import annotations

import pytest
from minidassl.config import extend_defaults, get_cfg_default
from minidassl.data import DataManager, DatasetWrapper, LoadingExtension, extend_loading
from minidassl.engine import SimpleTrainer, build_trainer
from minidassl.errors import ConfigError
from minidassl.utils import Registry
from torch.utils.data import DataLoader, SequentialSampler
from yacs.config import CfgNode


class Backwards(SequentialSampler):
    def __iter__(self):
        return reversed(range(len(self.data_source)))


class Marked(DatasetWrapper):
    def __getitem__(self, idx):
        return {**super().__getitem__(idx), "mark": idx}


class Slow(DataLoader):
    pass


class Joined(LoadingExtension):
    def __init__(self):
        self.seen = []

    def check_dataset(self, cfg, dataset):
        self.seen.append((cfg, len(dataset.test)))

    def sampler(self, name, cfg, samples):
        return Backwards(samples) if name == "Backwards" else None

    def wrapper(self, default):
        assert default is DatasetWrapper
        return Marked

    def workers(self, number):
        return max(number, 0)

    def loader(self, loader):
        return Slow(loader.dataset, loader.batch_size, sampler=loader.sampler)


def test_loading_asks_at_every_step(cfg, images):
    joined = Joined()
    extend_loading(joined)
    cfg.DATALOADER.NUM_WORKERS = -1
    cfg.DATALOADER.TRAIN_X.SAMPLER = "Backwards"
    manager = DataManager(cfg)
    assert joined.seen == [(cfg, 12)]
    batch = next(iter(manager.train_loader_x))
    assert batch["index"].tolist() == batch["mark"].tolist() == [23, 22, 21, 20, 19]
    assert type(manager.train_loader_x) is type(manager.test_loader) is Slow
    assert next(iter(manager.test_loader))["index"].tolist() == list(range(12))  # Dassl's own


def test_a_refused_dataset_stops_before_any_loader(cfg, monkeypatch):
    class Refusing(LoadingExtension):
        def check_dataset(self, cfg, dataset):
            raise ConfigError("Not this one.")

        def sampler(self, *_):
            raise AssertionError("too late")

    extend_loading(Refusing())
    with pytest.raises(ConfigError, match="Not this one"):
        DataManager(cfg)


def test_a_trainer_is_announced_before_it_builds(cfg):
    seen = []
    SimpleTrainer.on_build.append(lambda trainer, cfg: seen.append((vars(trainer).copy(), cfg)))
    trainer = build_trainer(cfg)
    assert seen == [({}, cfg)] and trainer.model is not None


def test_a_registry_tells_of_what_comes_later():
    registry, seen = Registry("THING"), []
    one, two, three = (type(name, (), {}) for name in ("One", "Two", "Three"))
    registry.register(one)
    registry.on_register(seen.append)
    registry.register(two)
    assert registry.register()(three) is three
    with pytest.raises(KeyError):
        registry.register(two)  # taken: not registered, not told
    registry.register(two, force=True)
    assert seen == [two, three, two]


def test_whom_a_registry_tells_may_register_more():
    registry = Registry("THING")

    def variant(thing):
        if not thing.__name__.startswith("New"):
            registry.register(type(f"New{thing.__name__}", (thing,), {}))

    registry.on_register(variant)
    registry.register(type("One", (), {}))
    assert registry.registered_names() == ["One", "NewOne"]


def test_defaults_hold_what_a_project_adds():
    def add(cfg):
        cfg.MINE = CfgNode({"DEPTH": 3})

    assert "MINE" not in get_cfg_default()
    extend_defaults(add)
    first = get_cfg_default()
    first.MINE.DEPTH = 4
    assert get_cfg_default().MINE.DEPTH == 3
