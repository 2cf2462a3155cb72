"""Do the drawn benchmarks behave like the real ones? Measured through the real trainers.

    python benchmarks/accuracy/drawn_benchmarks.py --output output/embedded

For each drawn benchmark, on its 16 base classes: zero-shot CLIP; a 16-shot linear probe; CoOp with
16 balanced shots; CoOp with 5 balanced shots (80 images); CoOp imbalanced at tau 0.06 (88 images).
All CoOp runs take the same number of optimiser steps. Completed runs are kept.
"""

from __future__ import annotations

import argparse
import os
import sys

from paired_runs import halves, run
from tabulate import tabulate

from npt_plugin.embedded.benchmarks import BENCHMARKS
from npt_plugin.embedded.quality import load_tiny, measure
from npt_plugin.evaluation.averages import mean_and_sd
from npt_plugin.sweep.job import Job
from npt_plugin.system.files import write_json

SETTINGS = {"balanced 16": (16, 1.0), "balanced 5": (5, 1.0), "tau 0.06": (16, 0.06)}
CONFIG = "tiny_ep50_ctxv1"
OPTIONS = ("INPUT.CACHED_VIEWS", "8", "TRAIN.STEPS", "400")


def jobs_of(args: argparse.Namespace) -> dict[tuple[str, str, int], Job]:
    return {
        (spec.directory, name, seed): Job(
            spec.directory, "CoOp", CONFIG, seed, ratio, shots, args.root, args.output, OPTIONS
        )
        for spec in BENCHMARKS.values()
        for name, (shots, ratio) in SETTINGS.items()
        for seed in args.seeds
    }


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--root", default="data")
    p.add_argument("--output", default="output/embedded")
    p.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    p.add_argument("--json", default="", help="also write the numbers here")
    args = p.parse_args()
    jobs = jobs_of(args)
    if not run(list(jobs.values()), args):
        return 1
    model, rows, lines = load_tiny(), [], []
    for spec in BENCHMARKS.values():
        measured = measure(model, spec)
        row = {k: measured[k] for k in ("zero-shot base", "zero-shot new", "probe base")}
        line = [spec.directory, *(f"{v:.1f}" for v in row.values())]
        for name in SETTINGS:
            row[name] = halves([jobs[spec.directory, name, seed] for seed in args.seeds])
            (base, sd), (new, _) = (mean_and_sd(row[name][half]) for half in ("base", "new"))
            line.append(f"{base:.1f} ± {sd:.1f} / {new:.1f}")
        rows.append({"benchmark": spec.directory, **row})
        lines.append(line)
    heads = ["benchmark", "zero-shot base", "zero-shot new", "probe base"]
    print(tabulate(lines, [*heads, *(f"CoOp {n}" for n in SETTINGS)], tablefmt="github"))
    print(f"Per cent; CoOp base mean ± sd / new mean over seeds {args.seeds}, 400 steps each.")
    if args.json:
        write_json(args.json, {"seeds": args.seeds, "options": OPTIONS, "rows": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
