"""The committed tiny CLIP: reading it, and writing it from a trained model.

Only the rows of the token table that training could use are stored. All other rows are drawn from
a fixed seed with CLIP's own initial scale, N(0, 0.02^2), so any class name runs; a name made of
untrained tokens carries no meaning for the model.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from npt_plugin.embedded.captions import all_words
from npt_plugin.errors import UserError

if TYPE_CHECKING:
    from clip.simple_tokenizer import SimpleTokenizer

VOCABULARY = 49408
START, END = 49406, 49407
WEIGHTS_FILE = Path(__file__).with_name("tiny_clip.safetensors")
CARD_FILE = Path(__file__).with_name("tiny_clip.json")
_ROWS, _IDS, _TABLE = "token_rows", "token_ids", "token_embedding.weight"
_TABLE_SEED, _TABLE_STD = 20240229, 0.02


@lru_cache(maxsize=1)
def tokenizer() -> SimpleTokenizer:
    """Return CLIP's byte-pair tokenizer, built once."""
    from clip.simple_tokenizer import SimpleTokenizer  # not needed to load weights

    return SimpleTokenizer()


def fresh_token_table(width: int) -> np.ndarray:
    """Return the token table before any training.

    Args:
        width: width W of the text tower.

    Returns:
        float32 (49408, W), the same on every call.
    """
    rng = np.random.Generator(np.random.SFC64(_TABLE_SEED))
    table = rng.standard_normal((VOCABULARY, width), dtype=np.float32)
    table *= np.float32(_TABLE_STD)
    return table


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
        if k != _TABLE and k != "logit_scale"
    }
    kept["logit_scale"] = state["logit_scale"].detach().float()
    kept[_ROWS], kept[_IDS] = (
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


def load_tiny_state_dict(path: str | Path = WEIGHTS_FILE) -> dict[str, Tensor]:
    """Read the tiny CLIP as a state dict that ``clip.model.build_model`` accepts.

    Args:
        path: safetensors file written by :func:`save_tiny`.

    Returns:
        float32 tensors under OpenAI's names, the token table expanded to (49408, W). Call
        ``build_model(sd).float()`` on a CPU.

    Raises:
        UserError: if the file is absent or not a tiny CLIP.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(
            f"The embedded CLIP weights are missing ({path}): reinstall npt-plugin or run "
            "`python -m npt_plugin.embedded.pretrain --out FILE`."
        )
    try:
        state = {name: tensor.float() for name, tensor in load_file(str(path)).items()}
        ids, rows = state.pop(_IDS).long(), state.pop(_ROWS)
    except Exception as error:
        raise UserError(
            f"{path} is not a tiny CLIP file ({error}): restore the file that came with npt-plugin."
        ) from error
    table = torch.from_numpy(fresh_token_table(rows.shape[1]))
    table[ids] = rows
    state[_TABLE] = table
    return state
