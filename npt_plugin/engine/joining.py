"""The four places at which we join the engine.

minidassl offers them: ``Registry.on_register``, ``SimpleTrainer.on_build``, ``extend_loading`` and
``extend_defaults``. Upstream Dassl has none, so there, and only there, names are replaced:

- ``register`` of its trainer and dataset registries,
- ``SimpleTrainer.__init__``,
- ``DatasetWrapper``, ``build_sampler``, ``build_data_loader`` and ``build_dataset`` in
  ``dassl.data.data_manager``,
- ``get_cfg_default`` in ``dassl.config`` (only when we run a host's script).

Each does what it did and asks us too. With ``repair.py`` that is all we change of Dassl.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any, Protocol

from torch.utils.data import DataLoader, Dataset, Sampler


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
    if getattr(registry, "npt_follows", False):
        return
    registry.npt_follows = True
    if hasattr(registry, "on_register"):
        registry.on_register(registered)
        return
    register: Callable[..., Any] = registry.register

    def register_both(obj: Any = None, force: bool = False) -> Any:
        if obj is None:  # used as a decorator
            return lambda cls: (register_both(cls, force=force), cls)[1]
        result = register(obj, force=force)
        registered(obj)
        return result

    registry.register = register_both


def watch_trainers(simple_trainer: Any, built: Callable[[Any, Any], None]) -> None:
    """Call ``built(trainer, cfg)`` before each trainer builds anything; once per function.

    Args:
        simple_trainer: The engine's ``SimpleTrainer``.
        built: Called with the empty trainer and its config.
    """
    if hasattr(simple_trainer, "on_build"):
        if built not in simple_trainer.on_build:
            simple_trainer.on_build.append(built)
        return
    plain = simple_trainer.__init__
    if getattr(plain, "npt_calls", None) is built:
        return

    @functools.wraps(plain)
    def init(self: Any, cfg: Any) -> None:
        built(self, cfg)
        plain(self, cfg)

    init.npt_calls = built  # type: ignore[attr-defined]  # a mark, to find it again
    simple_trainer.__init__ = init


def extend_defaults(config: ModuleType, addition: Callable[[Any], Any]) -> None:
    """Let ``addition(cfg)`` put keys into each tree of Dassl's defaults; once per function.

    Args:
        config: The engine's ``config`` package.
        addition: Changes the tree.
    """
    default = config.get_cfg_default
    if getattr(config, "npt_addition", None) is addition:
        return
    config.npt_addition = addition  # type: ignore[attr-defined]  # a mark, to find it again
    if hasattr(config, "extend_defaults"):
        config.extend_defaults(addition)
        return

    def get_cfg_default() -> Any:
        cfg = default()
        addition(cfg)
        return cfg

    config.get_cfg_default = get_cfg_default  # type: ignore[attr-defined]  # upstream has it


def extend_loading(manager: ModuleType, extension: LoadingExtension) -> None:
    """Ask ``extension`` while data are loaded; the first one stays.

    Args:
        manager: The engine's ``data.data_manager`` module, or a fork's with the same names.
        extension: Whom to ask.
    """
    if getattr(manager, "npt_extension", None) is not None:
        return
    manager.npt_extension = extension  # type: ignore[attr-defined]  # a mark, to find it again
    if hasattr(manager, "extend_loading"):
        manager.extend_loading(extension)
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

    manager.build_dataset, manager.build_sampler = build_dataset, build_sampler
    manager.build_data_loader = build_data_loader
    manager.DatasetWrapper = extension.wrapper(manager.DatasetWrapper)
