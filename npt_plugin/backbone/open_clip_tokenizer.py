"""The tokenizers of open_clip: CLIP's byte pairs, and those a hub delivers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from npt_plugin.backbone.tokenizer import PLACEHOLDER, Tokenizer
from npt_plugin.errors import UserError


def wrap_tokenizer(tokenizer: Any) -> Tokenizer:
    """The interface over what ``open_clip.get_tokenizer`` gives.

    Args:
        tokenizer: ``SimpleTokenizer``, or ``HFTokenizer`` and whatever has its attributes.
    """
    return HubTexts(tokenizer) if hasattr(tokenizer, "tokenizer") else SimpleTexts(tokenizer)


class SimpleTexts(Tokenizer):
    """CLIP's byte pairs, which open_clip cuts off silently and we do not."""

    starts, pad = 1, 0

    def __init__(self, simple: Any) -> None:
        self.simple, self.length = simple, simple.context_length

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Ids (N, length).

        Raises:
            UserError: If a text is too long.
        """
        for text in texts:
            _check(len(self.encode(text)) + 2, self.length, text)
        return self.simple(list(texts))

    def encode(self, text: str) -> list[int]:
        """Ids of the words alone."""
        return self.simple.encode(self.simple.clean_fn(text))

    def words(self) -> Iterable[int]:
        """All but the marks of start and end."""
        return self.simple.decoder.keys() - set(self.simple.all_special_ids)

    def word(self, token: int) -> str:
        """What one id stands for."""
        return self.simple.decoder[token].replace("</w>", "")


class HubTexts(Tokenizer):
    """A tokenizer of transformers in open_clip's ``HFTokenizer`` (SigLIP and others).

    How many marks lead a text, and which id pads, is asked of it.
    """

    def __init__(self, hub: Any) -> None:
        self.hub, self.length = hub, hub.context_length
        words = self.encode(PLACEHOLDER)
        marked = list(hub.tokenizer(hub.clean_fn(PLACEHOLDER)).input_ids)
        self.starts = next(i for i in range(len(marked)) if marked[i : i + len(words)] == words)
        self.marks = len(marked) - len(words)
        self.pad = hub.tokenizer.pad_token_id

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Ids (N, length).

        Raises:
            UserError: If a text is too long.
        """
        for text in texts:
            _check(len(self.encode(text)) + self.marks, self.length, text)
        return self.hub(list(texts))

    def prompts(self, prefix: str, texts: Sequence[str], n_ctx: int) -> Tensor:
        """As in the base; places of learned vectors are opened, as they may be no words here.

        Raises:
            UserError: If a text is too long, or the words of the prefix are fewer than its vectors.
        """
        if set(prefix.split()) == {PLACEHOLDER}:
            return self._opened(self(texts), texts, n_ctx)
        if len(self.encode(prefix)) < n_ctx:
            raise UserError(
                f"The initial context {prefix!r} has {len(self.encode(prefix))} tokens here, not "
                f"{n_ctx}: give other words, or none with the number of vectors."
            )
        return super().prompts(prefix, texts, n_ctx)

    def _opened(self, tokens: Tensor, texts: Sequence[str], number: int) -> Tensor:
        """Ids with ``number`` more before the first word."""
        for text in texts:
            _check(len(self.encode(text)) + self.marks + number, self.length, text)
        room = tokens.new_full((len(tokens), number), self.encode(PLACEHOLDER)[0])
        parts = tokens[:, : self.starts], room, tokens[:, self.starts : self.length - number]
        return torch.cat(parts, dim=1)

    def encode(self, text: str) -> list[int]:
        """Ids of the words alone."""
        ids = self.hub.tokenizer(self.hub.clean_fn(text), add_special_tokens=False).input_ids
        return list(ids)

    def words(self) -> Iterable[int]:
        """All but what its library calls special: padding, marks, the unknown."""
        hub = self.hub.tokenizer
        return set(hub.get_vocab().values()) - set(hub.all_special_ids)

    def word(self, token: int) -> str:
        """What one id stands for."""
        return self.hub.tokenizer.convert_ids_to_tokens(token).strip("\u2581")


def _check(number: int, length: int, text: str) -> None:
    if number > length:
        raise UserError(
            f"A prompt is too long for this model's {length} tokens ({text!r} needs {number}): "
            "shorten the class name or the number of context words."
        )
