"""A CLIP of any family as everything above ``backbone/`` sees it.

Whoever needs a width, a depth, where a text ends or how large images are asks here. The family's
own modules stand in ``model`` and are read inside ``backbone/`` only.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from npt_plugin.backbone.block import FamilyModule
from npt_plugin.backbone.image_tower import ImageTower
from npt_plugin.backbone.text_tower import TextTower
from npt_plugin.backbone.tokenizer import Tokenizer


class Backbone(nn.Module, ABC):
    """Both towers of one CLIP, on the CPU and frozen as sources return it.

    A family is one subclass. What it must say is abstract here; towers made by ``image_tower`` and
    ``text_tower`` share the modules of ``model`` and do not copy them.

    Args:
        model: The family's own module.
        tokenizer: Texts to token ids.
        image_size: Height and width of images in pixels.
        mean, std: Of the three channels, by which images are normalised.

    Attributes:
        causal: Whether a position of the text tower sees only those before it; then what follows a
            text's end is never computed, and a start that all prompts share is computed once.
        about: What a file turned out to hold, for the log; empty for a model with a name.
    """

    causal = True
    about = ""
    model: FamilyModule

    def __init__(
        self,
        model: FamilyModule,
        tokenizer: Tokenizer,
        image_size: tuple[int, int],
        mean: Sequence[float],
        std: Sequence[float],
    ) -> None:
        super().__init__()
        self.model = model
        self.tokenizer = tokenizer
        self.image_size, self.mean, self.std = image_size, tuple(mean), tuple(std)

    @abstractmethod
    def image_tower(self) -> ImageTower:
        """The image tower, prompt-aware where its blocks can be run."""

    @abstractmethod
    def text_tower(self, chunk: int = 0) -> TextTower:
        """The text tower on prompt embeddings.

        Args:
            chunk: ``MODEL.TEXT_CHUNK``: prompts encoded at a time; 0: all, -1: by free memory.
        """

    @property
    @abstractmethod
    def token_table(self) -> nn.Embedding:
        """Embeddings (V, W) of all tokens."""

    @abstractmethod
    def ends(self, tokens: Tensor) -> Tensor:
        """(K,) position whose state becomes the feature of each text, from token ids (K, L)."""

    @property
    @abstractmethod
    def logit_scale(self) -> nn.Parameter:
        """Logarithm of what cosines are multiplied by."""

    @property
    def logit_bias(self) -> nn.Parameter | None:
        """What is added to scaled cosines (SigLIP); None: nothing."""
        return None

    def cast(self, dtype: torch.dtype) -> None:
        """Cast to the precision of a run in place: everything for fp32, towers alone for halves."""
        self.model.float()
        if dtype != torch.float32:
            self.image_tower().cast(dtype)
            self.text_tower().cast(dtype)

    @property
    def dim(self) -> int:
        """D of the space both towers end in."""
        return self.text_tower().dim

    @property
    def text_width(self) -> int:
        """W of token embeddings."""
        return self.token_table.embedding_dim

    @property
    def dtype(self) -> torch.dtype:
        """Dtype the text tower computes in."""
        return self.text_tower().dtype

    def embed(self, tokens: Tensor) -> Tensor:
        """Embeddings (..., W) of token ids, in the table's own dtype and on its device."""
        return self.token_table(tokens.to(self.token_table.weight.device))

    def cut(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """What has to be computed of texts: positions up to the last end where that is exact.

        Args:
            tokens: (K, length).

        Returns:
            Tokens (K, L), and where each text ends (K,).
        """
        ends = self.ends(tokens)
        return (tokens[:, : int(ends.max()) + 1] if self.causal else tokens), ends
