"""The pretraining world as a corpus: all of it in memory, or drawn on demand."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor

import numpy as np
import torch
from torch import Tensor

from npt_plugin.embedded.world import ATTRIBUTES, SIZE, draw_many
from npt_plugin.system.progress import progress

_CHUNK = 1000


class Corpus:
    """The whole world in memory, drawn at once with a progress bar.

    The number of processes does not change the pictures.

    Args:
        seed: Seed of the world.
        total: Number of pictures N.
        workers: Number of processes; 0 draws in this one.
    """

    def __init__(self, seed: int, total: int, workers: int = 2) -> None:
        self.images = torch.empty((total, SIZE, SIZE, 3), dtype=torch.uint8)
        self.all_facts = torch.empty((total, len(ATTRIBUTES)), dtype=torch.int64)
        starts = list(range(0, total, _CHUNK))
        stops = [min(start + _CHUNK, total) for start in starts]
        jobs = ([seed] * len(starts), starts, stops, [total] * len(starts))
        pool = ProcessPoolExecutor(workers) if workers else None
        try:
            done = (pool.map if pool else map)(draw_many, *jobs)
            bar = progress(
                done, total=len(starts), desc="drawing the world", unit="k", mininterval=2
            )
            for start, stop, (pixels, facts) in zip(starts, stops, bar, strict=False):
                self.images[start:stop] = torch.from_numpy(pixels)
                self.all_facts[start:stop] = torch.from_numpy(facts)
        finally:
            if pool:
                pool.shutdown()

    def __len__(self) -> int:
        """The number of pictures."""
        return len(self.images)

    def pictures(self, rows: np.ndarray) -> Tensor:
        """Pictures by number.

        Args:
            rows: (B,) numbers.

        Returns:
            (B, 48, 48, 3) uint8.
        """
        return self.images[torch.from_numpy(rows)]

    def facts(self, row: int) -> np.ndarray:
        """What a picture shows.

        Args:
            row: Its number.

        Returns:
            (7,) int64.
        """
        return self.all_facts[row].numpy()


class LazyCorpus:
    """The same world, drawing a picture when it is asked for: for the first steps of a run.

    Args:
        seed: Seed of the world.
        total: Number of pictures.
    """

    def __init__(self, seed: int, total: int) -> None:
        self.seed, self.total = seed, total
        self._drawn: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def __len__(self) -> int:
        """The number of pictures."""
        return self.total

    def _get(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        if row not in self._drawn:
            images, facts = draw_many(self.seed, row, row + 1, self.total)
            self._drawn[row] = images[0], facts[0].astype(np.int64)
        return self._drawn[row]

    def pictures(self, rows: np.ndarray) -> Tensor:
        """Pictures by number, as :meth:`Corpus.pictures`.

        Args:
            rows: (B,) numbers.
        """
        return torch.from_numpy(np.stack([self._get(int(row))[0] for row in rows]))

    def facts(self, row: int) -> np.ndarray:
        """What a picture shows, as :meth:`Corpus.facts`.

        Args:
            row: Its number.
        """
        return self._get(row)[1]
