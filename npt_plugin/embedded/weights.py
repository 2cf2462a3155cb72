"""Write the tiny CLIP that ``backbone/tiny.py`` reads, and say how the committed one was made."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from npt_plugin.backbone.openai import byte_pairs
from npt_plugin.backbone.tiny import TOKEN_IDS, TOKEN_ROWS, TOKEN_TABLE, WEIGHTS_FILE
from npt_plugin.embedded.captions import all_words

START, END = 49406, 49407
CARD_FILE = WEIGHTS_FILE.with_suffix(".json")
_NOT_HALVED = (TOKEN_TABLE, "logit_scale")


def known_token_ids() -> list[int]:
    """The sorted token ids of every word the world uses, plus start and end."""
    encode = byte_pairs().encode
    return sorted({token for text in all_words() for token in encode(text)} | {START, END})


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file in hex.

    Args:
        path: File to read.
    """
    return hashlib.sha256(path.read_bytes()).hexdigest()


def save_tiny(path: Path, state: dict[str, Tensor], rows: Tensor, ids: list[int]) -> None:
    """Write a trained model in half precision with its used token rows only.

    Args:
        path: File to write.
        state: State dict of a ``clip.model.CLIP``; its token table is ignored.
        rows: (V, W) trained token rows.
        ids: V token ids of the rows.
    """
    halved = {name: tensor for name, tensor in state.items() if name not in _NOT_HALVED}
    kept = {name: tensor.detach().half().contiguous() for name, tensor in halved.items()}
    kept["logit_scale"] = state["logit_scale"].detach().float()
    kept[TOKEN_ROWS] = rows.detach().half().contiguous()
    kept[TOKEN_IDS] = torch.tensor(ids, dtype=torch.int32)
    save_file(kept, str(path))
    path.chmod(0o644)  # safetensors writes private files


def read_card(path: Path = CARD_FILE) -> dict[str, Any]:
    """How the committed weights were made: command, seed, steps, checksum.

    Args:
        path: JSON file beside the weights.
    """
    card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return card
