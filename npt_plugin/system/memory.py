"""Memory of this process: the peaks of a run, and what the allocator keeps."""

from __future__ import annotations

import ctypes
import os
import sys

import torch

if sys.platform != "win32":
    import resource

_MIB = 2**20

_KEPT = {"MALLOC_MMAP_THRESHOLD_": (-3, 2**25), "MALLOC_TRIM_THRESHOLD_": (-1, 2**27)}
"""Of glibc: the variable that sets a limit, its number for ``mallopt``, and bytes."""


def peak_memory() -> dict[str, float | None]:
    """Peaks so far in MiB: ``device_mib`` (CUDA tensors; None without) and ``process_mib``."""
    device = torch.cuda.max_memory_allocated() / _MIB if torch.cuda.is_available() else None
    process = None
    if sys.platform != "win32":
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        process = most / _MIB if sys.platform == "darwin" else most / 1024  # bytes there, KiB here
    return {"device_mib": _rounded(device), "process_mib": _rounded(process)}


def keep_freed_memory() -> None:
    """Let glibc keep what layers free for the next ones: a twentieth of a ViT's time on a CPU.

    Limits that the environment sets stay; other C libraries have none.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        for variable, (number, most) in _KEPT.items():
            if variable not in os.environ:
                mallopt(number, most)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
