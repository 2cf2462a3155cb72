"""The four places at which we join the engine.

minidassl offers them: ``Registry.on_register``, ``SimpleTrainer.on_build``, ``extend_loading`` and
``extend_defaults``. Upstream Dassl has none, so there, and only there, names are replaced. Each
does what it did and asks us too; ``replaced.py`` lists them and takes them back.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any, Protocol

from torch.utils.data import DataLoader, Dataset, Sampler

from npt_plugin.engine.replaced import added, is_done, replace

_OFFERED = "minidassl: a listener or extension"


class LoadingExtension(Protocol):
    """What is asked while data are loaded; as ``minidassl.data.LoadingExtension``."""

    def check_dataset(self, cfg: Any, dataset: Any) -> None:
        """Look at a dataset that was just built; raise to refuse it."""

    def sampler(self, name: str, cfg: Any, samples: Any) -> Sampler[int] | None:
        """The sampler of that name, or None to leave it to the engine."""

    def unknown_sampler(self, name: str) -> Exception:
        """What to raise where upstream does not know that sampler either."""

    def wrapper(self, default: type[Dataset]) -> type[Dataset]:
        """What reads samples in place of Dassl's ``DatasetWrapper``."""

    def workers(self, number: int) -> int:
        """Worker processes for a value of ``DATALOADER.NUM_WORKERS``."""

    def loader(self, loader: DataLoader) -> DataLoader:
        """A loader in place of one that was just made."""


def follow(registry: Any, registered: Callable[[Any], None]) -> None:
    """Call ``registered`` with every object that is registered from now on; once per registry.

    Args:
        registry: A Dassl registry, of trainers or datasets.
        registered: Called after each registration.
    """
    if is_done("Registry.register", registry) or is_done(_OFFERED, registry):
        return
    if hasattr(registry, "on_register"):
        added(_OFFERED, registry.on_register(registered), registry)
        return
    register: Callable[..., Any] = registry.register

    def register_both(obj: Any = None, force: bool = False) -> Any:
        if obj is None:  # used as a decorator
            return lambda cls: (register_both(cls, force=force), cls)[1]
        result = register(obj, force=force)
        registered(obj)
        return result

    replace("Registry.register", registry, register_both)


def watch_trainers(simple_trainer: Any, built: Callable[[Any, Any], None]) -> None:
    """Call ``built(trainer, cfg)`` before each trainer builds anything; once per class.

    Args:
        simple_trainer: The engine's ``SimpleTrainer``.
        built: Called with the empty trainer and its config.
    """
    if hasattr(simple_trainer, "on_build"):
        if not is_done(_OFFERED, simple_trainer):
            simple_trainer.on_build.append(built)
            added(_OFFERED, lambda: simple_trainer.on_build.remove(built), simple_trainer)
        return
    if is_done("SimpleTrainer.__init__", simple_trainer):
        return
    plain = simple_trainer.__init__

    @functools.wraps(plain)
    def init(self: Any, cfg: Any) -> None:
        built(self, cfg)
        plain(self, cfg)

    replace("SimpleTrainer.__init__", simple_trainer, init)


def extend_defaults(config: ModuleType, addition: Callable[[Any], Any]) -> None:
    """Let ``addition(cfg)`` put keys into each tree of Dassl's defaults; the first one stays.

    Args:
        config: The engine's ``config`` package.
        addition: Changes the tree.
    """
    if is_done("config.get_cfg_default", config) or is_done(_OFFERED, config):
        return
    if hasattr(config, "extend_defaults"):
        added(_OFFERED, config.extend_defaults(addition), config)
        return
    default = config.get_cfg_default

    def get_cfg_default() -> Any:
        cfg = default()
        addition(cfg)
        return cfg

    replace("config.get_cfg_default", config, get_cfg_default)


def extend_loading(manager: ModuleType, extension: LoadingExtension) -> None:
    """Ask ``extension`` while data are loaded; the first one stays.

    Args:
        manager: The engine's ``data.data_manager`` module, or a fork's with the same names.
        extension: Whom to ask.
    """
    if is_done("data_manager.build_dataset", manager) or is_done(_OFFERED, manager):
        return
    if hasattr(manager, "extend_loading"):
        added(_OFFERED, manager.extend_loading(extension), manager)
    else:
        _extend_upstream(manager, extension)


def _extend_upstream(manager: Any, extension: LoadingExtension) -> None:
    make_dataset, make_sampler = manager.build_dataset, manager.build_sampler
    make_loader = manager.build_data_loader

    def build_dataset(cfg: Any) -> Any:
        dataset = make_dataset(cfg)
        extension.check_dataset(cfg, dataset)
        return dataset

    def build_sampler(name: str, cfg: Any = None, data_source: Any = None, **rest: Any) -> Any:
        ours = extension.sampler(name, cfg, data_source)
        if ours:
            return ours
        try:
            return make_sampler(name, cfg=cfg, data_source=data_source, **rest)
        except ValueError as error:
            raise (extension.unknown_sampler(name) if name in str(error) else error) from None

    def build_data_loader(cfg: Any, *args: Any, **kwargs: Any) -> DataLoader:
        wanted = cfg.DATALOADER.NUM_WORKERS
        workers = extension.workers(wanted)
        if workers != wanted:
            cfg = cfg.clone()
            cfg.defrost()
            cfg.DATALOADER.NUM_WORKERS = workers
            cfg.freeze()
        return extension.loader(make_loader(cfg, *args, **kwargs))

    wrapper = extension.wrapper(manager.DatasetWrapper)
    for value, name in (
        (build_dataset, "build_dataset"),
        (build_sampler, "build_sampler"),
        (build_data_loader, "build_data_loader"),
        (wrapper, "DatasetWrapper"),
    ):
        replace(f"data_manager.{name}", manager, value)
