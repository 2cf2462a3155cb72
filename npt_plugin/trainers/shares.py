"""What each of several processes reads: its rows of a training batch, its part of a test set."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, SequentialSampler, default_collate

from npt_plugin.system import ranks

_ROWS = ("img", "features")
"""What of a batch is divided; labels stay whole, as losses and log are of the whole batch."""


class ShareLoader:
    """A training loader of which every process sees its rows of each batch.

    Batches are those of one process. Augmentation that depends on (seed, epoch, image) alone is
    drawn for the process's own rows. Any other takes its random numbers in turn, image by image:
    there every process reads the whole batch, draws alike, and keeps its rows.

    Args:
        loader: The loader of a run of one process.
    """

    def __init__(self, loader: Any) -> None:
        self.loader = loader
        self.clock = getattr(getattr(loader, "dataset", None), "clock", None)
        if isinstance(loader, DataLoader) and self.clock is None:
            print(
                "Every process reads all images, since augmentation draws random numbers in turn; "
                "with DATALOADER.DETERMINISTIC_AUG True each reads its own"
            )

    def set_epoch(self, epoch: int) -> None:
        """Pass the epoch on."""
        if hasattr(self.loader, "set_epoch"):
            self.loader.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        if self.clock is not None:
            self.clock.next_pass()
            yield from self._own_rows()
            return
        for batch in self.loader:
            own = ranks.share(len(batch["label"]))
            yield {**batch, **{key: batch[key][own] for key in _ROWS if key in batch}}

    def _own_rows(self) -> DataLoader[Any]:
        """The same batches, of which other processes' images are not read."""
        plain = self.loader
        return DataLoader(
            _Labels(plain.dataset),
            batch_sampler=_Marked(plain.batch_sampler),
            collate_fn=_collate,
            num_workers=plain.num_workers,
            pin_memory=plain.pin_memory,
        )


class _Marked:
    """Batches of (index, whether this process reads it)."""

    def __init__(self, batches: Any) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[tuple[int, bool]]]:
        for indices in self.batches:
            own = range(len(indices))[ranks.share(len(indices))]
            yield [(index, row in own) for row, index in enumerate(indices)]


class _Labels(Dataset[Any]):
    """Whole samples where they are read, labels elsewhere."""

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def __getitem__(self, marked: tuple[int, bool]) -> Any:
        index, read = marked
        return self.dataset[index] if read else self.dataset.data_source[index].label


def _collate(samples: Sequence[Any]) -> dict[str, Any]:
    read = [sample for sample in samples if isinstance(sample, dict)]
    labels = [sample["label"] if isinstance(sample, dict) else sample for sample in samples]
    return {**default_collate(read), "label": torch.tensor(labels)}


def own_part(loader: Any) -> tuple[Any, list[int]]:
    """The part of a test set that this process looks at: whole batches, as one process has them.

    Args:
        loader: Dassl's test loader.

    Returns:
        The loader of the part, and how many images each process has; their joined rows are in the
        order of the whole set. A set that cannot be divided belongs to the first process.
    """
    items = getattr(loader.dataset, "data_source", None)
    if items is None or not isinstance(loader.sampler, SequentialSampler):
        return loader, [len(loader.dataset)] + [0] * (ranks.size() - 1)
    size = loader.batch_size or 1
    counts, done = [], 0
    for batches in ranks.shares(len(loader)):
        counts.append(min(batches * size, len(items) - done))
        done += counts[-1]
    start = sum(counts[: ranks.rank()])
    part = copy.copy(loader.dataset)
    part.data_source = items[start : start + counts[ranks.rank()]] or items[:1]
    own = DataLoader(
        part,
        size,
        num_workers=loader.num_workers,
        collate_fn=loader.collate_fn,
        pin_memory=loader.pin_memory,
    )
    return own, counts
