"""The file an interrupted run goes on from: written after every epoch, so it has to be cheap."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from npt_plugin.system.safe_checkpoints import read_state, write_state

PROGRESS = "progress.npt"
"""File in ``OUTPUT_DIR`` from which an interrupted run goes on."""

PREVIOUS = "progress.previous.npt"
"""The one before it that is on the disk for certain."""

SYNCED_EVERY = 10.0
"""Seconds between two epochs whose file is waited for until the disk has it.

Every epoch's file outlives the process. What a failing machine can take are the epochs of the last
ten seconds, no more: short epochs would else spend more time on the disk than on training.
"""

_TEXTS = ("config", "history")
"""Trees of plain values, which are written many times faster as one text."""


class ProgressFile:
    """Writes one run's file.

    Args:
        folder: The run's output folder.
        fixed: What is the same in every epoch.
    """

    def __init__(self, folder: str | Path, fixed: Mapping[str, Any]) -> None:
        self.file, self.fixed = Path(folder) / PROGRESS, _texts(fixed)
        self._synced, self._certain = -SYNCED_EVERY, False

    def write(self, state: dict[str, Any]) -> None:
        """Replace the file; one that is on the disk for certain stays beside it.

        Args:
            state: The rest, tensors and plain values, as :func:`newest_progress` gives them back.

        Raises:
            UserError: If the folder cannot be written.
        """
        now = time.monotonic()
        sync = now - self._synced >= SYNCED_EVERY
        if self._certain and self.file.exists():
            os.replace(self.file, self.file.with_name(PREVIOUS))
        write_state(self.file, {**self.fixed, **_packed(state)}, sync)
        self._certain = sync
        self._synced = now if sync else self._synced


def newest_progress(directory: str) -> dict[str, Any] | None:
    """What the newest undamaged progress file of a folder holds, or None."""
    if not directory:
        return None
    folder = Path(directory)
    state = read_state(folder / PROGRESS) or read_state(folder / PREVIOUS)
    return state and _unpacked(state)


def _packed(state: dict[str, Any]) -> dict[str, Any]:
    version, numbers, gauss = state["rng"]["python"]
    rng = {**state["rng"], "python": (version, torch.tensor(numbers), gauss)}
    return {**_texts(state), "rng": rng}


def _texts(state: Mapping[str, Any]) -> dict[str, Any]:
    return {name: json.dumps(v) if name in _TEXTS else v for name, v in state.items()}


def _unpacked(state: dict[str, Any]) -> dict[str, Any]:
    """Files of versions 0.1 and 0.2 hold trees and numbers as they are."""
    texts = {name: json.loads(state[name]) for name in _TEXTS if isinstance(state[name], str)}
    version, numbers, gauss = state["rng"]["python"]
    if isinstance(numbers, torch.Tensor):
        numbers = tuple(numbers.tolist())
    return {**state, **texts, "rng": {**state["rng"], "python": (version, numbers, gauss)}}
