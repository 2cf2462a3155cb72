"""All random states of a process: to fix, to stop and go on with, to leave as they were."""

from __future__ import annotations

import hashlib
import random
from functools import lru_cache
from typing import Any

import numpy as np
import torch


def set_random_seed(seed: int) -> None:
    """Seed Python's, numpy's and PyTorch's global generators, as Dassl does.

    Args:
        seed: 0 or more, below 2**32 (numpy's limit).
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.cuda.manual_seed_all(seed)


def seed_everything(cfg: Any) -> None:
    """Fix every random choice of a run if its config has a seed."""
    if cfg.SEED >= 0:
        print(f"Setting fixed seed: {cfg.SEED}")
        set_random_seed(cfg.SEED)


def rng_state() -> dict[str, Any]:
    """States of python, numpy, torch and every CUDA device, as tensors and plain values."""
    numpy_state: Any = np.random.get_state()  # a tuple; its stub says a dictionary as well
    kind, keys, position, has_gauss, gauss = numpy_state
    return {
        "python": random.getstate(),
        "numpy": (kind, torch.from_numpy(keys.astype(np.int64)), position, has_gauss, gauss),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if _has_cuda() else [],
    }


def set_rng_state(state: dict[str, Any]) -> None:
    """Go back to what ``rng_state`` gave."""
    random.setstate(state["python"])
    kind, keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state((kind, keys.numpy().astype(np.uint32), position, has_gauss, gauss))
    torch.set_rng_state(state["torch"])
    if _has_cuda():
        torch.cuda.set_rng_state_all(state["cuda"])


@lru_cache(maxsize=1)
def _has_cuda() -> bool:
    """Asked once: PyTorch asks the driver each time, which can take as long as all the states."""
    return torch.cuda.is_available()


def on_own_device(state: dict[str, Any]) -> dict[str, Any]:
    """A saved state for this process, which may compute on another device than the one that saved.

    Args:
        state: What ``rng_state`` gave in a process on the first of its devices.

    Returns:
        The same, with that device's state for each device there is here.
    """
    number = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return {**state, "cuda": state["cuda"][:1] * number}


def rng_digest() -> str:
    """Hex digits that say in which states the generators are."""
    state = rng_state()
    digest = hashlib.sha256(repr(state["python"]).encode())
    kind, keys, *rest = state["numpy"]
    digest.update(f"{kind} {rest}".encode())
    for tensor in (keys, state["torch"], *state["cuda"]):
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
