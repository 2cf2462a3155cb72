"""Write the tiny CLIP that ``backbone/tiny.py`` reads, and say how the committed one was made."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import save_file
from torch import Tensor

from npt_plugin.backbone.tiny import TOKEN_IDS, TOKEN_ROWS, TOKEN_TABLE, WEIGHTS_FILE
from npt_plugin.embedded.captions import all_words

if TYPE_CHECKING:
    from clip.simple_tokenizer import SimpleTokenizer

START, END = 49406, 49407
CARD_FILE = WEIGHTS_FILE.with_suffix(".json")


@lru_cache(maxsize=1)
def tokenizer() -> SimpleTokenizer:
    """Return CLIP's byte-pair tokenizer, built once."""
    from clip.simple_tokenizer import SimpleTokenizer  # not needed to load weights

    return SimpleTokenizer()


def known_token_ids() -> list[int]:
    """Return the sorted token ids of every word the world uses, plus start and end."""
    encode = tokenizer().encode
    return sorted({token for text in all_words() for token in encode(text)} | {START, END})


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hex.

    Args:
        path: file to read.
    """
    return hashlib.sha256(path.read_bytes()).hexdigest()


def save_tiny(path: Path, state: dict[str, Tensor], rows: Tensor, ids: list[int]) -> None:
    """Write a trained model in half precision with its used token rows only.

    Args:
        path: file to write.
        state: state dict of a ``clip.model.CLIP``; its token table is ignored.
        rows: (V, W) trained token rows.
        ids: V token ids of the rows.
    """
    kept = {
        k: v.detach().half().contiguous()
        for k, v in state.items()
        if k != TOKEN_TABLE and k != "logit_scale"
    }
    kept["logit_scale"] = state["logit_scale"].detach().float()
    kept[TOKEN_ROWS], kept[TOKEN_IDS] = (
        rows.detach().half().contiguous(),
        torch.tensor(ids, dtype=torch.int32),
    )
    save_file(kept, str(path))
    path.chmod(0o644)  # safetensors writes private files


def read_card(path: Path = CARD_FILE) -> dict:
    """Return how the committed weights were made: command, seed, steps, checksum.

    Args:
        path: JSON file beside the weights.
    """
    return json.loads(path.read_text(encoding="utf-8"))
