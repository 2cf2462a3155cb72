"""Training batches: pictures with freshly drawn captions, tokenised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from npt_plugin.backbone.openai import MEAN, STD, byte_pairs
from npt_plugin.embedded import captions
from npt_plugin.embedded.corpus import Corpus, LazyCorpus
from npt_plugin.embedded.weights import END, START, known_token_ids


def normalise(images: Tensor) -> Tensor:
    """Turn byte images into network input.

    Args:
        images: (B, 48, 48, 3) uint8.

    Returns:
        (B, 3, 48, 48) float32 with OpenAI's pixel statistics removed.
    """
    mean, std = torch.tensor(MEAN) * 255, torch.tensor(STD) * 255
    return ((images.float() - mean) / std).permute(0, 3, 1, 2).contiguous()


def jitter_views(images: Tensor, rng: np.random.Generator, share: float = 0.35) -> Tensor:
    """Cut random square windows from some images, so that random crops downstream are not new.

    Args:
        images: (B, 3, R, R).
        rng: Source of randomness.
        share: Share of images that are changed; the others stay exactly as drawn.

    Returns:
        (B, 3, R, R).
    """
    n = int(len(images) * share)
    if n == 0:
        return images
    zoom = rng.uniform(0.72, 1.0, n)
    theta = np.zeros((n, 2, 3), dtype=np.float32)
    theta[:, 0, 0] = zoom * np.where(rng.random(n) < 0.5, -1, 1)
    theta[:, 1, 1] = zoom
    theta[:, :, 2] = rng.uniform(-1, 1, (n, 2)) * (1 - zoom)[:, None]
    grid = F.affine_grid(torch.from_numpy(theta), [n, *images.shape[1:]], align_corners=False)
    images[:n] = F.grid_sample(images[:n], grid, padding_mode="reflection", align_corners=False)
    return images


def padded(lines: list[list[int]]) -> tuple[Tensor, Tensor]:
    """Lines of token ids as one tensor.

    Args:
        lines: N lines, each with its start and end token.

    Returns:
        (N, L) int64 with zeros behind each line, L the longest; and the place of each line's last
        token (N,).
    """
    tokens = torch.zeros((len(lines), max(map(len, lines))), dtype=torch.int64)
    for row, line in zip(tokens, lines, strict=True):
        row[: len(line)] = torch.tensor(line)
    return tokens, torch.tensor([len(line) - 1 for line in lines])


@dataclass(frozen=True)
class Batch:
    """One training batch.

    Attributes:
        images: (B, 3, R, R) normalised.
        facts: (B, 7) int64 attributes, -1 where absent.
        texts: The captions, each once.
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
    """Draws batches from a corpus; easy pictures first (the corpus is ordered by difficulty).

    Args:
        corpus: Pictures and facts.
        seed: Seed of the order, captions and crops.
        wrong: Share of captions taken from another picture, as on the web.
        filler: Share of batches in which captions start with unrelated words.
    """

    def __init__(
        self, corpus: Corpus | LazyCorpus, seed: int, wrong: float = 0.04, filler: float = 0.2
    ) -> None:
        self.corpus = corpus
        self.rng = np.random.default_rng((seed, 7))
        self.wrong, self.filler = wrong, filler
        self.compact = {token: row for row, token in enumerate(known_token_ids())}
        self._memo: dict[str, list[int]] = {}

    def _tokens(self, text: str) -> list[int]:
        if text not in self._memo:
            if len(self._memo) > 200_000:
                self._memo.clear()
            self._memo[text] = [self.compact[t] for t in (START, *byte_pairs().encode(text), END)]
        return self._memo[text]

    def _caption(self, row: int, fill: bool) -> str:
        rng = self.rng
        if rng.random() < self.wrong:
            row = int(rng.integers(len(self.corpus)))
        text = captions.caption(self.corpus.facts(row), rng)
        if fill and rng.random() < 0.5:
            text = captions.with_filler(text, int(rng.integers(1, 15)), rng)
        return text

    def draw(self, size: int, reach: float) -> Batch:
        """Draw one batch.

        Args:
            size: Number of pictures B.
            reach: Share of the corpus in use, 0..1; small values leave the hard pictures out.

        Returns:
            The batch.
        """
        rows = self.rng.integers(0, max(1, int(len(self.corpus) * reach)), size)
        fill = bool(self.rng.random() < self.filler)
        said = [self._caption(int(row), fill) for row in rows]
        texts = sorted(set(said), key=self._by_length)  # neighbours alike in length: less padding
        tokens, ends = padded([self._tokens(text) for text in texts])
        number = {text: i for i, text in enumerate(texts)}
        return Batch(
            images=jitter_views(normalise(self.corpus.pictures(rows)), self.rng),
            facts=torch.from_numpy(np.stack([self.corpus.facts(int(row)) for row in rows])),
            texts=texts,
            tokens=tokens,
            ends=ends,
            caption_of=torch.tensor([number[text] for text in said]),
        )

    def _by_length(self, text: str) -> tuple[int, str]:
        return len(self._tokens(text)), text
