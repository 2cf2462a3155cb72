"""The pretraining corpus: all pictures as bytes in memory, and batches with fresh captions."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from npt_plugin.embedded import captions
from npt_plugin.embedded.weights import END, START, known_token_ids, tokenizer
from npt_plugin.embedded.world import ATTRIBUTES, SIZE, draw_many

#: OpenAI's pixel statistics, so that the tiny CLIP takes the same preprocessing as the real one.
PIXEL_MEAN = (0.48145466, 0.4578275, 0.40821073)
PIXEL_STD = (0.26862954, 0.26130258, 0.27577711)
_CHUNK = 1000


def draw_corpus(seed: int, total: int, workers: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Draw the whole world with a progress bar; any number of workers gives the same result.

    Args:
        seed: seed of the world.
        total: number of pictures.
        workers: number of processes; 0 draws in this one.

    Returns:
        uint8 (N, 48, 48, 3) and int16 (N, 7) facts.
    """
    images = np.empty((total, SIZE, SIZE, 3), dtype=np.uint8)
    facts = np.empty((total, len(ATTRIBUTES)), dtype=np.int16)
    starts = list(range(0, total, _CHUNK))
    stops = [min(start + _CHUNK, total) for start in starts]
    jobs = ([seed] * len(starts), starts, stops, [total] * len(starts))
    pool = ProcessPoolExecutor(workers) if workers else None
    try:
        done = (pool.map if pool else map)(draw_many, *jobs)
        bar = tqdm(
            done,
            total=len(starts),
            desc="drawing the world",
            unit="k",
            disable=None if workers else True,
        )
        for start, stop, (pixels, fact) in zip(starts, stops, bar, strict=False):
            images[start:stop], facts[start:stop] = pixels, fact
    finally:
        if pool:
            pool.shutdown()
    return images, facts


def normalise(images: Tensor) -> Tensor:
    """Turn byte images into network input.

    Args:
        images: (B, 48, 48, 3) uint8.

    Returns:
        (B, 3, 48, 48) float32 with OpenAI's pixel statistics removed.
    """
    mean, std = torch.tensor(PIXEL_MEAN) * 255, torch.tensor(PIXEL_STD) * 255
    return ((images.float() - mean) / std).permute(0, 3, 1, 2).contiguous()


def jitter_views(images: Tensor, rng: np.random.Generator, share: float = 0.35) -> Tensor:
    """Cut random square windows from some images, so that random crops downstream are not new.

    Args:
        images: (B, 3, R, R).
        rng: source of randomness.
        share: share of images that are changed; the others stay exactly as drawn.

    Returns:
        (B, 3, R, R).
    """
    n = int(len(images) * share)
    zoom = rng.uniform(0.72, 1.0, n)
    theta = np.zeros((n, 2, 3), dtype=np.float32)
    theta[:, 0, 0] = zoom * np.where(rng.random(n) < 0.5, -1, 1)
    theta[:, 1, 1] = zoom
    theta[:, :, 2] = rng.uniform(-1, 1, (n, 2)) * (1 - zoom)[:, None]
    grid = F.affine_grid(torch.from_numpy(theta), [n, *images.shape[1:]], align_corners=False)
    images[:n] = F.grid_sample(images[:n], grid, padding_mode="reflection", align_corners=False)
    return images


@dataclass(frozen=True)
class Batch:
    """One training batch.

    Attributes:
        images: (B, 3, R, R) normalised.
        facts: (B, 7) int64 attributes, -1 where absent.
        texts: the captions, each once.
        tokens: (N, L) int64 positions in the compact vocabulary, one row for each different
            caption.
        ends: (N,) position of the end token.
        caption_of: (B,) row of each image's caption.
    """

    images: Tensor
    facts: Tensor
    texts: list[str]
    tokens: Tensor
    ends: Tensor
    caption_of: Tensor


class BatchMaker:
    """Draws batches from a corpus; easy pictures first (the corpus is ordered by difficulty)."""

    def __init__(
        self,
        images: np.ndarray,
        facts: np.ndarray,
        seed: int,
        wrong: float = 0.04,
        filler: float = 0.2,
    ) -> None:
        """Keep the corpus.

        Args:
            images: uint8 (N, 48, 48, 3).
            facts: int16 (N, 7).
            seed: seed of the order, captions and crops.
            wrong: share of captions taken from another picture, as on the web.
            filler: share of batches in which captions start with unrelated words.
        """
        self.images, self.facts = torch.from_numpy(images), torch.from_numpy(facts)
        self.rng = np.random.default_rng((seed, 7))
        self.wrong, self.filler = wrong, filler
        self.compact = {token: row for row, token in enumerate(known_token_ids())}
        self._memo: dict[str, list[int]] = {}

    def _tokens(self, text: str) -> list[int]:
        if text not in self._memo:
            if len(self._memo) > 200_000:
                self._memo.clear()
            self._memo[text] = [self.compact[t] for t in (START, *tokenizer().encode(text), END)]
        return self._memo[text]

    def _caption(self, row: int, fill: bool) -> str:
        rng = self.rng
        if rng.random() < self.wrong:
            row = int(rng.integers(len(self.facts)))
        text = captions.caption(self.facts[row].numpy(), rng)
        return (
            captions.with_filler(text, int(rng.integers(1, 15)), rng)
            if fill and rng.random() < 0.5
            else text
        )

    def draw(self, size: int, reach: float) -> Batch:
        """Draw one batch.

        Args:
            size: number of pictures B.
            reach: share of the corpus in use, 0..1; small values leave the hard pictures out.

        Returns:
            The batch.
        """
        rows = torch.from_numpy(self.rng.integers(0, max(1, int(len(self.images) * reach)), size))
        fill = self.rng.random() < self.filler
        said = [self._caption(int(row), fill) for row in rows]
        texts = sorted(
            set(said), key=lambda text: (len(self._tokens(text)), text)
        )  # short ones first: less padding
        number = {text: i for i, text in enumerate(texts)}
        lines = [self._tokens(text) for text in texts]
        tokens = torch.zeros((len(lines), max(map(len, lines))), dtype=torch.int64)
        for i, line in enumerate(lines):
            tokens[i, : len(line)] = torch.tensor(line)
        ends = torch.tensor([len(line) - 1 for line in lines])
        images = jitter_views(normalise(self.images[rows]), self.rng)
        return Batch(
            images,
            self.facts[rows].long(),
            texts,
            tokens,
            ends,
            torch.tensor([number[t] for t in said]),
        )
