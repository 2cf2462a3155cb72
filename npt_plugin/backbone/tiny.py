"""The embedded tiny CLIP: the committed file as a state dict that OpenAI's code builds.

Only the rows of the token table that training could use are stored. All other rows are drawn from
a fixed seed with CLIP's own initial scale, N(0, 0.02^2), so any class name runs; a name made of
untrained tokens carries no meaning for the model.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from npt_plugin.errors import UserError

VOCABULARY = 49408
"""Rows of the token table of OpenAI's CLIP."""

WEIGHTS_FILE = Path(__file__).with_name("tiny_clip.safetensors")
TOKEN_ROWS, TOKEN_IDS, TOKEN_TABLE = "token_rows", "token_ids", "token_embedding.weight"
_TABLE_SEED, _TABLE_STD = 20240229, 0.02


@lru_cache(maxsize=1)
def fresh_token_table(width: int) -> np.ndarray:
    """Return the token table before any training.

    Args:
        width: width W of the text tower.

    Returns:
        float32 (49408, W), the same on every call and not to be written to: drawing it takes most
        of the time that loading the model takes, so it is kept.
    """
    rng = np.random.Generator(np.random.SFC64(_TABLE_SEED))
    table = rng.standard_normal((VOCABULARY, width), dtype=np.float32)
    table *= np.float32(_TABLE_STD)
    table.flags.writeable = False
    return table


def load_tiny_state_dict(path: str | Path = WEIGHTS_FILE) -> dict[str, Tensor]:
    """Read the tiny CLIP as a state dict that ``clip.model.build_model`` accepts.

    Args:
        path: safetensors file written by ``npt_plugin.embedded.weights.save_tiny``.

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
        ids, rows = state.pop(TOKEN_IDS).long(), state.pop(TOKEN_ROWS)
    except Exception as error:
        raise UserError(
            f"{path} is not a tiny CLIP file ({error}): restore the file that came with npt-plugin."
        ) from error
    table = torch.from_numpy(fresh_token_table(rows.shape[1]).copy())
    table[ids] = rows
    state[TOKEN_TABLE] = table
    return state
