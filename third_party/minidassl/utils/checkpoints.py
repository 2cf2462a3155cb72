"""Save training state atomically and load it without running any code from the file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from minidassl.errors import DataError
from minidassl.seal import is_intact, seal
from minidassl.utils.plain_state import plain_state

_PARALLEL_PREFIX = "module."
_POINTER = "checkpoint"


def _without_parallel_prefix(state_dict: Mapping[str, Any]) -> dict[str, Any]:
    return {key.removeprefix(_PARALLEL_PREFIX): value for key, value in state_dict.items()}


def _write_text(path: str, text: str) -> None:
    part = f"{path}.part"
    with open(part, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(part, path)


def save_checkpoint(
    state: dict[str, Any],
    save_dir: str,
    is_best: bool = False,
    remove_module_from_keys: bool = True,
    model_name: str = "",
) -> None:
    """Write a checkpoint, and its name into the file ``checkpoint`` beside it.

    Either the old or the new file is on disk at any moment, never a part of one; the new one is
    sealed (``minidassl.seal``).

    Args:
        state: Needs ``state_dict`` and ``epoch`` (epochs done); the rest is stored too, reduced
            to plain data.
        save_dir: Folder, created when missing.
        is_best: Keep a copy named ``model-best.pth.tar``.
        remove_module_from_keys: Strip the prefix that data parallelism puts on parameter names.
        model_name: File name; ``model.pth.tar-EPOCH`` when empty.
    """
    os.makedirs(save_dir, exist_ok=True)
    if remove_module_from_keys:
        state["state_dict"] = _without_parallel_prefix(state["state_dict"])
    name = model_name or f"model.pth.tar-{state['epoch']}"
    fpath = os.path.join(save_dir, name)
    part = f"{fpath}.part"
    torch.save(plain_state(state), part)
    with open(part, "r+b") as file:
        seal(file)
    os.replace(part, fpath)
    print(f"Checkpoint saved to {fpath}")
    _write_text(os.path.join(save_dir, _POINTER), f"{name}\n")
    if is_best:
        best = os.path.join(save_dir, "model-best.pth.tar")
        shutil.copy(fpath, f"{best}.part")
        os.replace(f"{best}.part", best)
        print(f'Best checkpoint saved to "{best}"')


def load_checkpoint(fpath: str) -> dict[str, Any]:
    """Read a checkpoint, data only.

    Args:
        fpath: File written by ``save_checkpoint``, or any file of tensors and plain data.

    Returns:
        The saved dictionary; tensors are on the CPU when there is no GPU.

    Raises:
        ValueError: No path was given.
        FileNotFoundError: Nothing is there.
        DataError: The file is damaged, or holds objects besides plain data.
    """
    if fpath is None:
        raise ValueError("The path of the checkpoint to load is None.")
    if not os.path.exists(fpath):
        raise FileNotFoundError(f'File is not found at "{fpath}"')
    if not is_intact(fpath):
        raise DataError(f"{fpath} is damaged: its checksum does not hold; copy it anew.")
    location = None if torch.cuda.is_available() else "cpu"
    try:
        return torch.load(fpath, map_location=location, weights_only=True)
    except Exception as error:  # PyTorch's reader trips over a bad file in any way there is
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"{fpath} holds Python objects besides tensors and numbers, or is damaged, and is not "
            f"loaded; save it again with this engine. ({reason})"
        ) from error


def resume_from_checkpoint(
    fdir: str,
    model: nn.Module,
    optimizer: torch.optim.Optimizer | None = None,
    scheduler: Any = None,
) -> int:
    """Load the newest checkpoint of a folder into a model and, if given, its optimiser.

    Args:
        fdir: Folder with a file ``checkpoint`` that names the newest one.
        model: Receives the weights.
        optimizer: Receives its state, when saved.
        scheduler: Receives its state, when saved.

    Returns:
        Number of epochs done.
    """
    with open(os.path.join(fdir, _POINTER), encoding="utf-8") as file:
        fpath = os.path.join(fdir, file.readline().strip())
    print(f'Loading checkpoint from "{fpath}"')
    checkpoint = load_checkpoint(fpath)
    receivers = {"state_dict": model, "optimizer": optimizer, "scheduler": scheduler}
    labels = {"state_dict": "model weights", "optimizer": "optimizer", "scheduler": "scheduler"}
    for key, receiver in receivers.items():
        if receiver is not None and checkpoint.get(key) is not None:
            receiver.load_state_dict(checkpoint[key])
            print(f"Loaded {labels[key]}")
    print(f"Previous epoch: {checkpoint['epoch']}")
    return checkpoint["epoch"]


def has_checkpoint(fdir: str) -> bool:
    """Tell whether a folder holds a checkpoint to resume from.

    Args:
        fdir: Folder of one model.

    Returns:
        True if the file naming the newest checkpoint is there.
    """
    return os.path.isfile(os.path.join(fdir, _POINTER))
