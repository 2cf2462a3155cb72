"""Peak memory of a run, on the device and in the process."""

from __future__ import annotations

import sys

import torch

if sys.platform != "win32":
    import resource

_MIB = 2**20


def peak_memory() -> dict[str, float | None]:
    """Peaks so far in MiB: ``device_mib`` (CUDA tensors; None without) and ``process_mib``."""
    device = torch.cuda.max_memory_allocated() / _MIB if torch.cuda.is_available() else None
    process = None
    if sys.platform != "win32":
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        process = most / _MIB if sys.platform == "darwin" else most / 1024  # bytes there, KiB here
    return {"device_mib": _rounded(device), "process_mib": _rounded(process)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
