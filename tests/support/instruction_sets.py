"""Older instruction sets that the libraries below PyTorch can be held to, by name.

``python tests/support/instruction_sets.py`` prints a line for each: name and environment;
``--found`` says instead what each library answers under it, on this processor.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

SETS: dict[str, dict[str, str]] = {
    "avx2": {
        "ATEN_CPU_CAPABILITY": "avx2",  # PyTorch's own kernels
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",  # acts on Intel processors alone
    },
    "oldest": {
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        "MKL_CBWR": "COMPATIBLE",  # MKL's slowest and most portable code, on any processor
    },
}

_PROBE = """
import torch
print("aten:", torch.backends.cpu.get_cpu_capability(), flush=True)
x = torch.ones(64, 512)
with torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON):
    torch.ops.mkldnn._linear_pointwise(x, torch.ones(512, 512), None, "none", [], "")
with torch.backends.mkl.verbose(torch.backends.mkl.VERBOSE_ON):
    x @ torch.ones(512, 512)
"""


def found_under(name: str = "") -> dict[str, str]:
    """What PyTorch, oneDNN and MKL say they use, in a process held to a set; "": to none.

    Returns:
        By library; "" where it is absent or says nothing.
    """
    free = {k: v for k, v in os.environ.items() if all(k not in one for one in SETS.values())}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _PROBE],
        env={**free, **SETS.get(name, {})},
        capture_output=True,
        text=True,
        check=True,
    )
    found = {"aten": "", "onednn": "", "mkl": ""}
    for line in done.stdout.splitlines():
        if line.startswith("aten: "):
            found["aten"] = line.removeprefix("aten: ").replace("NO AVX", "DEFAULT")  # PyTorch 2.6
        elif line.startswith("onednn_verbose") and ",info,cpu,isa:" in line:
            found["onednn"] = line.partition("isa:")[2]
        elif line.startswith("MKL_VERBOSE") and "GEMM(" in line:
            found["mkl"] = next(word for word in line.split() if word.startswith("CNR:"))
    return found


if __name__ == "__main__":
    for one, variables in SETS.items():
        if "--found" in sys.argv:
            print(one, json.dumps(found_under(one)))
        else:
            print(one, *(f"{name}={value}" for name, value in variables.items()))
