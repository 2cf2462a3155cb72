"""Where a project joins in while data are loaded, without replacing anything here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch.utils.data import DataLoader, Dataset, Sampler
from yacs.config import CfgNode


class LoadingExtension:
    """Asked at each step of loading; the answers here leave everything as it is."""

    def check_dataset(self, cfg: CfgNode, dataset: Any) -> None:
        """Look at a dataset that was just built; raise to refuse it."""

    def sampler(self, name: str, cfg: CfgNode, samples: Sequence[Any]) -> Sampler[int] | None:
        """Make the sampler of that name, or leave it to the engine by None."""
        return None

    def wrapper(self, default: type[Dataset]) -> type[Dataset]:
        """Return what reads and transforms samples in place of ``DatasetWrapper``."""
        return default

    def workers(self, number: int) -> int:
        """Return the worker processes for a value of ``DATALOADER.NUM_WORKERS``."""
        return number

    def loader(self, loader: DataLoader) -> DataLoader:
        """Return a loader in place of one that was just made."""
        return loader


_extension = LoadingExtension()


def extend_loading(extension: LoadingExtension) -> Callable[[], None]:
    """Ask ``extension`` from now on; there is one at a time.

    Args:
        extension: Anything with the methods of ``LoadingExtension``.

    Returns:
        Brings back the one before.
    """
    global _extension
    before, _extension = _extension, extension

    def bring_back() -> None:
        global _extension
        _extension = before

    return bring_back


def loading_extension() -> LoadingExtension:
    """Return whom to ask."""
    return _extension
