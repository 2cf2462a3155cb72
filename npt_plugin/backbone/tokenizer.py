"""Texts to token ids, whatever the family's tokenizer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from torch import Tensor

PLACEHOLDER = "X"
"""A word that holds the place of one learned vector."""


class Tokenizer(ABC):
    """Token ids of texts, as the text tower was trained on them.

    Attributes:
        length: Positions of a text with all marks and padding.
        starts: Marks before the first word: 1 where a start token leads, 0 where none does.
        pad: Id after the end.
    """

    length: int
    starts: int
    pad: int

    @abstractmethod
    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Ids (N, length) int64 or int32 with marks and padding.

        Raises:
            UserError: If a text is too long; nothing is cut off silently.
        """

    def prompts(self, prefix: str, texts: Sequence[str], n_ctx: int) -> Tensor:
        """Ids (N, length) of ``prefix text``, of which vectors replace the first ``n_ctx`` tokens.

        Args:
            prefix: Words that hold the vectors' places, ``PLACEHOLDER`` where they mean nothing.
            texts: N class names with what follows.
            n_ctx: Number of vectors.

        Raises:
            UserError: If a text is too long.
        """
        return self([f"{prefix} {text}" for text in texts])

    @abstractmethod
    def encode(self, text: str) -> list[int]:
        """Ids of the words alone."""

    @abstractmethod
    def words(self) -> Iterable[int]:
        """Ids that stand for words or pieces of words; marks of start, end and padding are none."""

    @abstractmethod
    def word(self, token: int) -> str:
        """What one id stands for."""
