"""What the plugin adds to Dassl's loaders: image cache, deterministic augmentation, samplers.

:func:`install` puts it into the Dassl that is in use, for every trainer, a host's included. With
the default config nothing changes but the sentence for an unreadable image. A host's dataset class
that would silently ignore ``DATASET.IMBALANCE`` is refused.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from torch.utils.data import DataLoader

from npt_plugin.datasets.augmentation import Clock, seeded_generators
from npt_plugin.datasets.base import ExplicitClasses
from npt_plugin.datasets.images import ImageCache
from npt_plugin.datasets.samplers import SAMPLERS, ClassWeightedSampler, build_sampler
from npt_plugin.datasets.views import resized_first
from npt_plugin.engine.framework import BACKEND, DatasetWrapper, extend_loading
from npt_plugin.errors import UserError, nearest_hint

DASSL_SAMPLERS = (
    "RandomSampler",
    "SequentialSampler",
    "RandomDomainSampler",
    "SeqDomainSampler",
    "RandomClassSampler",
)
MAX_WORKERS = 8


def resolve_workers(workers: int) -> int:
    """``DATALOADER.NUM_WORKERS``: -1 becomes the usable CPUs, at most 8; none with a single CPU.

    Raises:
        UserError: below -1.
    """
    if workers < -1:
        raise UserError(
            f"DATALOADER.NUM_WORKERS is {workers}; use 0 or more, or -1 to follow the machine."
        )
    if workers >= 0:
        return workers
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    usable = usable or 1
    return min(usable, MAX_WORKERS) if usable > 1 else 0


_SETTINGS = (
    "batch_size",
    "sampler",
    "num_workers",
    "collate_fn",
    "pin_memory",
    "drop_last",
    "timeout",
    "worker_init_fn",
    "multiprocessing_context",
    "generator",
    "prefetch_factor",
    "persistent_workers",
)
"""What a ``DataLoader`` is made of besides its dataset."""


class EpochLoader(DataLoader[Any]):
    """A loader that tells its sampler and its dataset which pass begins."""

    def set_epoch(self, epoch: int) -> None:
        """Which epoch comes next."""
        follower: Any
        for follower in (self.sampler, getattr(self.dataset, "clock", None)):
            if hasattr(follower, "set_epoch"):
                follower.set_epoch(epoch)

    def __iter__(self) -> Any:  # the iterator's class is PyTorch's own affair
        clock = getattr(self.dataset, "clock", None)
        if clock is not None:
            clock.next_pass()
        return super().__iter__()


_READS = sys.modules[DatasetWrapper.__module__]
"""The module whose ``read_image`` Dassl's wrapper calls."""


class ReadingWrapper(DatasetWrapper):
    """Dassl's ``DatasetWrapper`` with an image cache and deterministic augmentation.

    Test images are resized first as ``INPUT.TEST_RESIZE`` says.

    What a sample consists of is Dassl's affair: a changed copy adds keys of its own. The wrapper
    reads ``INPUT.IMAGE_CACHE`` and ``DATALOADER.DETERMINISTIC_AUG``.
    """

    def __init__(
        self, cfg: Any, data_source: Any, transform: Any = None, is_train: bool = False, **more: Any
    ) -> None:
        transform = transform if is_train else resized_first(cfg, transform)
        super().__init__(cfg, data_source, transform=transform, is_train=is_train, **more)
        mode = cfg.INPUT.get("IMAGE_CACHE", "") if is_train else ""
        if mode and not hasattr(_READS, "read_image"):
            raise UserError(
                f"INPUT.IMAGE_CACHE is {mode!r}, but this project's Dassl reads images in a way of "
                "its own: leave it empty."
            )
        self.images = ImageCache(mode)
        if mode == "memory" and resolve_workers(cfg.DATALOADER.NUM_WORKERS) > 0:
            self.images.fill(item.impath for item in data_source)
        wanted = is_train and cfg.DATALOADER.get("DETERMINISTIC_AUG", False)
        self.clock = Clock(cfg.SEED) if wanted else None

    def __getitem__(self, idx: int) -> dict[str, Any]:
        seeded = seeded_generators(self.clock.seed_of(idx)) if self.clock else nullcontext()
        with self._reading(), seeded:
            out = super().__getitem__(idx)
        if self.transform is None and self.images.keeps:
            out["img"] = out["img"].copy()
        return out

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Let Dassl's own ``__getitem__`` read images our way, while it runs."""
        plain = getattr(_READS, "read_image", None)
        if plain is None:
            yield
            return
        vars(_READS)["read_image"] = self.images
        try:
            yield
        finally:
            vars(_READS)["read_image"] = plain


def require_imbalance(cfg: Any, dataset: Any) -> None:
    """A dataset that ignores ``DATASET.IMBALANCE`` must not train a run that asks for it.

    Raises:
        UserError: a host's own class, and a ratio below 1.
    """
    node = cfg.DATASET.get("IMBALANCE", None)
    if node is None or node.RATIO == 1 or isinstance(dataset, ExplicitClasses):
        return
    name = type(dataset).__name__
    raise UserError(
        f"DATASET.IMBALANCE.RATIO is {node.RATIO}, but the dataset class '{name}' of this project "
        f"ignores it; use DATASET.NAME Imbalanced{name}."
    )


class Loading:
    """What the engine asks us while it loads data; see ``engine/joining.py``."""

    def check_dataset(self, cfg: Any, dataset: Any) -> None:
        """Refuse a dataset that would ignore the imbalance asked for."""
        require_imbalance(cfg, dataset)

    def sampler(self, name: str, cfg: Any, samples: Any) -> Any:
        """Our sampler of that name, or None for the engine's.

        Raises:
            UserError: the name is neither ours nor minidassl's.
        """
        if name not in (*SAMPLERS, *DASSL_SAMPLERS):
            if BACKEND == "minidassl":
                raise self.unknown_sampler(name)
            return None  # a changed Dassl may have samplers of its own
        return build_sampler(cfg, samples, name)

    def unknown_sampler(self, name: str) -> UserError:
        """What to raise where the engine does not know a sampler either."""
        allowed = (*DASSL_SAMPLERS, *SAMPLERS)
        return UserError(
            f"Unknown sampler '{name}'{nearest_hint(name, allowed)}; use one of "
            f"{', '.join(allowed)}."
        )

    def wrapper(self, default: Any) -> Any:
        """``ReadingWrapper``, which builds on Dassl's."""
        return ReadingWrapper

    def workers(self, number: int) -> int:
        """-1 follows the machine."""
        return resolve_workers(number)

    def loader(self, loader: DataLoader) -> DataLoader:
        """An ``EpochLoader`` where sampler or augmentation follow the epoch."""
        timed = getattr(loader.dataset, "clock", None) is not None
        if not timed and not isinstance(loader.sampler, ClassWeightedSampler):
            return loader
        return EpochLoader(loader.dataset, **{name: getattr(loader, name) for name in _SETTINGS})


def install() -> None:
    """Teach the engine in use our samplers, cache, augmentation and ``NUM_WORKERS -1``; once."""
    extend_loading(Loading())
