"""Ours against the public code under this processor's instruction set and held to AVX2.

NPT_HOSTS=FOLDER python benchmarks/speed/instruction_sets.py [--quick] [--out FILE]

Both sides of a ratio take turns in one run under the same set, so that only the set differs between
the two columns. Ratios are of processor seconds, as in ``measure.py``.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import torch
from turns import take_turns
from workbench import FULL, QUICK, TEST_IMAGES, Bench, random_clip

from npt_plugin.system.processor import instruction_set, processor_name

SETS = {"own": {}, "avx2": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}}
SIZES = (512, 1024)


def main() -> None:
    """Measure under each set and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two layers, 32 pixels: a smoke run")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--note", default="", help="what to know about this run, for the JSON")
    parser.add_argument("--out", type=Path, help="JSON file")
    args = parser.parse_args()
    about = {
        "date": date.today().isoformat(),
        "torch": torch.__version__,
        "threads": args.threads,
        "processor": processor_name(),
        "instruction set": instruction_set(),
        "note": args.note,
    }
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "random.pt"
        random_clip(QUICK if args.quick else FULL, weights)
        for name, variables in SETS.items():
            os.environ.update(variables)
            bench = Bench(args, str(weights))
            compare(bench)
            found[name] = {"environment": variables, **bench.found}
            about["other"] = bench.other
            if args.out:
                content = {"about": about, "found": found}
                args.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def compare(bench: Bench) -> None:
    """One step of each method, a test, and the two kernels of ``frozen_linear``."""
    with bench.pair("CoOp", 100) as sides:
        found = take_turns(sides, "step", 1, warm=False, batch=4 if bench.quick else 32)
        bench.note("CoOp K=100 step B=32", found)
    with bench.pair("CoOp", 19) as sides:
        batch = bench.shape["most"] // 2
        kind = {"batch": batch, "repeats": 1, "warm": False}
        bench.test(f"CoOp K=19 B={batch}", sides, TEST_IMAGES // 2, **kind)
        ours = sides["ours"]
        for size in SIZES:
            rates = {
                kernel: ours("matmul", size=size, kernel=kernel) for kernel in ("oneDNN", "MKL")
            }
            ratio = rates["oneDNN"][1] / rates["MKL"][1]
            bench.note(f"matmul {size} oneDNN over MKL", round(ratio, 2))
    with bench.pair("CoCoOp", 19) as sides:
        bench.note("CoCoOp K=19 step B=1", take_turns(sides, "step", 2, batch=1))
    with bench.pair("MaPLe", 19) as sides:
        bench.note("MaPLe K=19 step B=4", take_turns(sides, "step", 1, batch=4))


if __name__ == "__main__":
    main()
