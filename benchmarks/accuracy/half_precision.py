"""What PREC bf16 does to accuracy: zero-shot CLIP and CoOp in bf16 against fp32.

    python benchmarks/accuracy/half_precision.py --output output/bf16 --out FILE.json

On the drawn benchmarks with the embedded CLIP. Zero-shot CLIP has nothing random, so one run says
all; CoOp is trained and tested in each precision, paired by seed. Completed runs are kept.
"""

from __future__ import annotations

import argparse
import sys
from itertools import product
from pathlib import Path
from typing import Any

from paired_runs import cell, difference, halves, parser, run, text_of
from tabulate import tabulate

from npt_plugin.embedded.benchmarks import BENCHMARKS
from npt_plugin.sweep.job import Job
from npt_plugin.system.files import write_json

NODES = {"ZeroshotCLIP": "ZSCLIP", "CoOp": "COOP"}
PRECISIONS = ("fp32", "bf16")
CONFIG, SHOTS, VIEWS = "tiny_ep50_ctxv1", 16, "8"


def job(args: argparse.Namespace, dataset: str, trainer: str, precision: str, seed: int) -> Job:
    """One run; each precision has an output folder of its own."""
    options = (f"TRAINER.{NODES[trainer]}.PREC", precision)
    if trainer == "CoOp":
        options += ("INPUT.CACHED_VIEWS", VIEWS, "TRAIN.STEPS", str(args.steps))
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
    datasets = [spec.directory for spec in BENCHMARKS.values()]
    p = parser(__doc__.splitlines()[0], "output/bf16", datasets, range(1, 4))
    p.add_argument("--trainers", nargs="+", choices=NODES, default=list(NODES))
    args = p.parse_args()
    jobs = [
        job(args, dataset, trainer, precision, seed)
        for dataset, trainer, precision in product(args.datasets, args.trainers, PRECISIONS)
        for seed in seeds_of(args, trainer)
    ]
    if not run(jobs, args):
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
