"""Read checkpoint files safely and write our own with a checksum.

Dassl's checkpoints hold, beside tensors, the pickled schedule of the run. It is not needed to use
the prompts, so its classes are read as empty stand-ins: no code of any class runs, and Dassl need
not be installed. Everything else PyTorch's weights-only reader refuses stays refused.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from minidassl.seal import is_intact, seal

from npt_plugin.errors import UserError
from npt_plugin.system.files import write_atomically

_MAGIC = b"NPTSTATE"
_DIGEST_BYTES = 32

_STOOD_IN_FOR = {
    "torch.optim.lr_scheduler": ("CosineAnnealingLR", "StepLR", "MultiStepLR"),
    "torch.optim.sgd": ("SGD",),
    "torch.optim.adam": ("Adam",),
    "torch.optim.adamw": ("AdamW",),
    "torch.optim.rmsprop": ("RMSprop",),
    "dassl.optim.radam": ("RAdam",),
    "dassl.optim.lr_scheduler": ("ConstantWarmupScheduler", "LinearWarmupScheduler"),
}
"""What Dassl pickles into its checkpoints, by module."""


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """A Dassl-style checkpoint (``state_dict``, ``epoch``, ...), ours or a public checkout's.

    Raises:
        UserError: If the file is absent, damaged, or holds anything but tensors and plain values.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"There is no checkpoint {path}{_others(path)}.")
    if not is_intact(path):
        raise UserError(
            f"Checkpoint {path} cannot be read safely: it is damaged, its checksum does not hold; "
            "copy it anew, or train again."
        )
    try:
        with _reading_schedules():
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # PyTorch's reader trips over damaged files in any way there is
        raise UserError(f"Checkpoint {path} cannot be read safely: {_reason(error)}.") from None
    if not isinstance(state, dict) or not isinstance(state.get("state_dict"), dict):
        raise UserError(f"Checkpoint {path} holds no state_dict: it is not a Dassl checkpoint.")
    return state


def write_checkpoint(path: str | Path, content: dict[str, Any]) -> None:
    """Write a Dassl-style checkpoint atomically, sealed with a SHA-256 of the whole file.

    ``torch.load`` of this and other projects reads it as any other; ``read_checkpoint`` refuses it
    if one bit has changed.
    """
    buffer = io.BytesIO()
    torch.save(content, buffer)
    seal(buffer)
    write_atomically(path, lambda file: file.write(buffer.getbuffer()))


def _reason(error: Exception) -> str:
    """Why PyTorch refused a file, without its advice to trust the file anyway."""
    text = str(error).strip()
    foreign = re.search(r"GLOBAL (\S+)", text)
    if foreign:
        return f"it holds the Python object {foreign[1]}, which is neither tensor nor plain value"
    if not text or "weights_only" in text:
        return "it is damaged, or no PyTorch checkpoint"
    return text.splitlines()[0][:160].rstrip(".")


@lru_cache(maxsize=1)
def stand_ins() -> list[Any]:
    """Empty classes under the names in ``_STOOD_IN_FOR``, and what holds an optimiser's state."""
    classes = [
        type(name, (), {"__module__": module})
        for module, names in _STOOD_IN_FOR.items()
        for name in names
    ]
    return [dict, plain_defaultdict(), *classes]


@lru_cache(maxsize=1)
def plain_defaultdict() -> Callable[..., dict]:
    """A function under the name ``collections.defaultdict`` that makes a plain dict.

    PyTorch's reader fills dicts only; an optimiser's state is saved as ``defaultdict(dict)``.
    """

    def defaultdict(*_: Any) -> dict:
        return {}

    defaultdict.__module__, defaultdict.__qualname__ = "collections", "defaultdict"
    return defaultdict


def _reading_schedules() -> AbstractContextManager[None]:
    """Allow the stand-ins while a file is read; PyTorch before 2.5 cannot.

    What is on PyTorch's list already is not given to its context, which would take it off the list.
    """
    allow = getattr(torch.serialization, "safe_globals", None)
    if allow is None:
        return nullcontext()
    listed = torch.serialization.get_safe_globals()
    return allow([thing for thing in stand_ins() if thing not in listed])


def _others(path: Path) -> str:
    """What lies beside a missing checkpoint, to help with ``--load-epoch``."""
    found = sorted(p.name for p in path.parent.glob("model*")) if path.parent.is_dir() else []
    return f" (that folder holds {', '.join(found)})" if found else ""


def write_state(path: str | Path, state: dict[str, Any], sync: bool = True) -> None:
    """Write tensors and plain values atomically, with a SHA-256 in front.

    Args:
        path: The file.
        state: What ``read_state`` gives back.
        sync: Whether to wait until the disk has it.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    payload = buffer.getvalue()
    head = _MAGIC + hashlib.sha256(payload).digest()
    write_atomically(path, lambda file: file.write(head + payload), sync)


def read_state(path: str | Path) -> dict[str, Any] | None:
    """What ``write_state`` wrote, or None where the file is absent, cut short or altered."""
    path = Path(path)
    if not path.is_file():
        return None
    data = path.read_bytes()
    start = len(_MAGIC) + _DIGEST_BYTES
    payload = data[start:]
    if data[:start] != _MAGIC + hashlib.sha256(payload).digest():
        return None
    return torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
