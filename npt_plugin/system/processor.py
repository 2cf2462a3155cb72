"""What the processor can do: the instruction set PyTorch uses, and units for bfloat16."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch

_CPUINFO = Path("/proc/cpuinfo")
_FLAGS = ("flags", "Features")
"""Where Linux lists what a processor can do, on x86 and on ARM."""

_BF16 = {"avx512_bf16", "amx_bf16", "bf16", "svebf16"}


def instruction_set() -> str:
    """The instruction set PyTorch's own kernels use here: DEFAULT, AVX2, AVX512, SVE256, ...

    ``ATEN_CPU_CAPABILITY`` in the environment can lower it.
    """
    return torch.backends.cpu.get_cpu_capability()


@lru_cache(maxsize=1)
def processor_name() -> str:
    """The processor's name as Linux knows it; empty where it does not say."""
    return _cpuinfo().get("model name", "")


@lru_cache(maxsize=1)
def has_bf16_units() -> bool | None:
    """Whether the processor multiplies bfloat16 itself; None where the system does not say.

    Without such units every product of bfloat16 numbers is made of conversions and float32.
    """
    known = _cpuinfo()
    flags = next((known[key] for key in _FLAGS if key in known), None)
    return None if flags is None else bool(_BF16 & set(flags.split()))


def _cpuinfo() -> dict[str, str]:
    """What ``/proc/cpuinfo`` says of the first processor; empty where there is no such file."""
    try:
        text = _CPUINFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    fields = (line.partition(":") for line in text.split("\n\n")[0].splitlines())
    return {key.strip(): value.strip() for key, _, value in fields}
