"""Texts to token ids, whatever the family's tokenizer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

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

    @abstractmethod
    def encode(self, text: str) -> list[int]:
        """Ids of the words alone."""

    @abstractmethod
    def word(self, token: int) -> str:
        """What one id stands for."""
