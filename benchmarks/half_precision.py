"""What PREC bf16 does to accuracy: zero-shot CLIP and CoOp in bf16 against fp32.

    python benchmarks/half_precision.py --output output/bf16 --out FILE.json

On the drawn benchmarks with the embedded CLIP. Zero-shot CLIP has nothing random, so one run says
all; CoOp is trained and tested in each precision, paired by seed. Completed runs are kept.
"""

from __future__ import annotations

import argparse
import os
import sys
from itertools import product
from pathlib import Path
from typing import Any

from accuracy import cell, difference, halves, text_of
from tabulate import tabulate

from npt_plugin.base2new import Job
from npt_plugin.embedded.benchmarks import BENCHMARKS, ensure_benchmarks
from npt_plugin.files import write_json
from npt_plugin.sweep import run_all

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
NODES = {"ZeroshotCLIP": "ZSCLIP", "CoOp": "COOP"}
PRECISIONS = ("fp32", "bf16")
CONFIG, SHOTS, VIEWS = "tiny_ep50_ctxv1", 16, "8"


def job(args: argparse.Namespace, dataset: str, trainer: str, precision: str, seed: int) -> Job:
    """One run; each precision has an output folder of its own."""
    options = (f"TRAINER.{NODES[trainer]}.PREC", precision)
    if trainer == "CoOp":
        options += ("INPUT.FEATURE_CACHE", VIEWS, "TRAIN.STEPS", str(args.steps))
    output = str(Path(args.output) / precision)
    return Job(dataset, trainer, CONFIG, seed, 1.0, SHOTS, args.root, output, options)


def seeds_of(args: argparse.Namespace, trainer: str) -> list[int]:
    """Zero-shot CLIP needs one."""
    return args.seeds[:1] if trainer == "ZeroshotCLIP" else args.seeds


def collect(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Accuracy of every dataset, trainer and precision, and bf16 minus fp32."""
    rows = []
    for dataset, trainer in product(args.datasets, args.trainers):
        seeds = seeds_of(args, trainer)
        full, half = (
            halves([job(args, dataset, trainer, precision, seed) for seed in seeds])
            for precision in PRECISIONS
        )
        row: dict[str, Any] = {"dataset": dataset, "trainer": trainer}
        for part in full:
            for name, values in (("fp32", full[part]), ("bf16", half[part])):
                row[f"{part} {name}"] = cell(values)
            row[f"{part} bf16"]["minus fp32"] = difference(half[part], full[part])
        rows.append(row)
    return rows


def main() -> int:
    """Run what is missing, print the table, write JSON."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--root", default="data")
    p.add_argument("--output", default="output/bf16")
    p.add_argument("--datasets", nargs="+", default=[s.directory for s in BENCHMARKS.values()])
    p.add_argument("--trainers", nargs="+", choices=NODES, default=list(NODES))
    p.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    p.add_argument("--steps", type=int, default=400, help="optimiser steps of every CoOp run")
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    p.add_argument("--out", default="", help="also write the numbers here")
    args = p.parse_args()
    drawn = [name for name, spec in BENCHMARKS.items() if spec.directory in args.datasets]
    ensure_benchmarks(args.root, drawn)
    jobs = [
        job(args, dataset, trainer, precision, seed)
        for dataset, trainer, precision in product(args.datasets, args.trainers, PRECISIONS)
        for seed in seeds_of(args, trainer)
    ]
    failed = run_all(jobs, str(CONFIGS), args.jobs)
    if failed:
        print("\n".join(f"failed: {n}: {r}" for n, r in failed.items()), file=sys.stderr)
        return 1
    rows = collect(args)
    columns = [f"{half} {name}" for half in ("base", "new") for name in PRECISIONS]
    lines = [[r["dataset"], r["trainer"], *(text_of(r[c]) for c in columns)] for r in rows]
    print(tabulate(lines, ["dataset", "trainer", *columns], tablefmt="github"))
    print("Per cent, mean ± sd over seeds; (bf16 minus fp32 [95 % interval]).")
    if args.out:
        write_json(args.out, {"seeds": args.seeds, "steps": args.steps, "rows": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
