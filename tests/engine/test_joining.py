"""We join minidassl where it offers it, and upstream by the names listed in ``joining.py``."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace

import pytest
from torch.utils.data import DataLoader, SequentialSampler
from yacs.config import CfgNode

from npt_plugin.engine import joining, replaced


@pytest.fixture(autouse=True)
def nothing_is_joined(monkeypatch):
    monkeypatch.setattr(replaced, "_steps", [])
    yield
    replaced.undo_all()


class Upstreams:
    """Stand-ins with the names of upstream Dassl."""

    class Registry:
        def __init__(self):
            self.held = {}

        def register(self, obj=None, force=False):
            if obj is None:
                return lambda thing: self.register(thing, force)
            if not force and obj.__name__ in self.held:
                raise KeyError(obj.__name__)
            self.held[obj.__name__] = obj

    @staticmethod
    def simple_trainer() -> type:
        class SimpleTrainer:
            def __init__(self, cfg):
                self.cfg = cfg

        return SimpleTrainer

    @staticmethod
    def manager() -> ModuleType:
        """Functions that call each other by their names in the module, as upstream's do."""
        module = ModuleType("data_manager")
        module.DataLoader, module.SequentialSampler = DataLoader, SequentialSampler
        source = """
class DatasetWrapper:
    def __init__(self, cfg, items): self.items = items
    def __len__(self): return len(self.items)
    def __getitem__(self, i): return self.items[i]
def build_dataset(cfg): return ["a", "b", "c"]
def build_sampler(name, cfg=None, data_source=None, batch_size=1):
    if name != "Sequential": raise ValueError(name)
    return SequentialSampler(data_source)
def build_data_loader(cfg, name="Sequential", data_source=None, batch_size=2):
    sampler = build_sampler(name, cfg=cfg, data_source=data_source, batch_size=batch_size)
    wrapped = DatasetWrapper(cfg, data_source)
    workers = cfg.DATALOADER.NUM_WORKERS
    return DataLoader(wrapped, batch_size=batch_size, sampler=sampler, num_workers=workers)
"""
        exec(source, vars(module))
        return module


class Extension:
    def __init__(self):
        self.checked = []

    def check_dataset(self, cfg, dataset):
        self.checked.append(dataset)

    def sampler(self, name, cfg, samples):
        return list(reversed(range(len(samples)))) if name == "Backwards" else None

    def unknown_sampler(self, name):
        return LookupError(f"neither knows {name}")

    def wrapper(self, default):
        return type("Loud", (default,), {"__getitem__": lambda self, i: self.items[i].upper()})

    def workers(self, number):
        return max(0, number)

    def loader(self, loader):
        loader.ours = True
        return loader


def cfg(workers: int = -1) -> CfgNode:
    tree = CfgNode({"DATALOADER": {"NUM_WORKERS": workers}})
    tree.freeze()
    return tree


def test_upstreams_loading_asks_at_every_step():
    manager, extension = Upstreams.manager(), Extension()
    joining.extend_loading(manager, extension)
    assert manager.build_dataset(cfg()) == ["a", "b", "c"] and extension.checked == [
        ["a", "b", "c"]
    ]
    loader = manager.build_data_loader(cfg(), "Backwards", data_source=["a", "b", "c"])
    assert list(loader) == [["C", "B"], ["A"]] and loader.ours and loader.num_workers == 0
    assert list(manager.build_data_loader(cfg(), data_source=["a"])) == [["A"]]
    with pytest.raises(LookupError, match="neither knows Nothing"):
        manager.build_data_loader(cfg(), "Nothing", data_source=["a"])


def test_a_sampler_that_only_a_changed_dassl_knows_is_its_own():
    manager = Upstreams.manager()
    manager.build_sampler = lambda name, cfg, data_source, **rest: [len(data_source) - 1]
    joining.extend_loading(manager, Extension())
    assert list(manager.build_data_loader(cfg(), "Theirs", data_source=["a", "b"])) == [["B"]]


def test_the_config_of_the_run_stays_as_it_is():
    manager, tree = Upstreams.manager(), cfg(-1)
    joining.extend_loading(manager, Extension())
    manager.build_data_loader(tree, data_source=["a"])
    assert tree.DATALOADER.NUM_WORKERS == -1 and tree.is_frozen()


def test_loading_is_extended_once():
    manager, first = Upstreams.manager(), Extension()
    joining.extend_loading(manager, first)
    names = ("DatasetWrapper", "build_dataset", "build_sampler", "build_data_loader")
    before = [getattr(manager, name) for name in names]
    joining.extend_loading(manager, Extension())
    assert [getattr(manager, name) for name in names] == before


def test_nothing_of_minidassl_is_replaced():
    """Its own functions, before and after we join."""
    data = pytest.importorskip("minidassl.data")
    from minidassl.config import get_cfg_default
    from minidassl.data import data_manager, dataset_wrapper, datasets, samplers
    from minidassl.engine import SimpleTrainer, build
    from minidassl.utils import Registry

    import npt_plugin

    npt_plugin.register(base=True)
    assert data_manager.DatasetWrapper is data.DatasetWrapper is dataset_wrapper.DatasetWrapper
    for name, owner in {
        "build_sampler": samplers,
        "build_dataset": datasets,
        "build_data_loader": data_manager,
    }.items():
        assert getattr(data_manager, name) is getattr(owner, name)
        assert getattr(data_manager, name).__module__.startswith("minidassl.")
    assert SimpleTrainer.__init__.__module__ == "minidassl.engine.simple_trainer"
    assert get_cfg_default.__module__ == "minidassl.config.tree"
    for registry in (build.TRAINER_REGISTRY, datasets.DATASET_REGISTRY):
        assert registry.register.__func__ is Registry.register


@pytest.mark.parametrize("offered", [True, False])
def test_a_trainer_is_announced_before_it_builds(offered):
    seen = []

    def built(trainer, cfg):
        seen.append((hasattr(trainer, "cfg"), cfg))

    trainer_class = Upstreams.simple_trainer()
    if offered:
        trainer_class.on_build = []
    for _ in range(2):  # twice is once
        joining.watch_trainers(trainer_class, built)
    if offered:
        assert trainer_class.on_build == [built]
    else:
        trainer = type("Host", (trainer_class,), {})("the config")
        assert seen == [(False, "the config")] and trainer.cfg == "the config"
        assert trainer_class.__init__.__name__ == "__init__"


def minidassls_registry():
    return pytest.importorskip("minidassl.utils").Registry("THING")


@pytest.mark.parametrize("make", [Upstreams.Registry, minidassls_registry])
def test_a_registry_is_followed_once(make):
    registry, seen = make(), []
    one, two, three = (type(name, (), {}) for name in ("One", "Two", "Three"))
    registry.register(one)
    for _ in range(2):
        joining.follow(registry, seen.append)
    registry.register(two)
    assert registry.register()(three) is three
    registry.register(two, force=True)
    with pytest.raises(KeyError):
        registry.register(two)
    assert seen == [two, three, two]
    replaced.undo_all()
    registry.register(one, force=True)
    assert seen == [two, three, two] and "register" not in vars(registry)


@pytest.mark.parametrize("offered", [True, False])
def test_defaults_are_extended_once(offered):
    config = SimpleNamespace(get_cfg_default=dict)
    if offered:
        additions = []
        config.extend_defaults = lambda add: additions.append(add) or additions.clear

    def add(cfg):
        cfg["ours"] = cfg.get("ours", 0) + 1

    for _ in range(2):
        joining.extend_defaults(config, add)
    if offered:
        assert additions == [add] and config.get_cfg_default is dict
    else:
        assert config.get_cfg_default() == {"ours": 1}
    replaced.undo_all()
    assert config.get_cfg_default is dict and (not offered or additions == [])
