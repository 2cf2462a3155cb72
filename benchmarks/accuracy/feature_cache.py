"""What INPUT.CACHED_VIEWS does to accuracy: CoOp with V cached views against fresh augmentation.

    python benchmarks/accuracy/feature_cache.py --output output/feature_cache --out FILE.json

V = 0 augments every image anew in every step, as the public code does; V = 1 and V = 8 draw from as
many fixed views of each image. All runs take the same number of optimiser steps. The differences to
V = 0 are paired by seed, with a 95 % interval. Completed runs are kept, so a stopped call goes on.
"""

from __future__ import annotations

import argparse
import sys
from itertools import product
from pathlib import Path
from typing import Any

from paired_runs import cell, difference, halves, parser, run, text_of
from tabulate import tabulate

from npt_plugin.sweep.job import Job
from npt_plugin.system.files import write_json

DATASETS = ("embedded_objects", "embedded_textures")
RATIOS, VIEWS = (1.0, 0.06), (0, 1, 8)
CONFIG, SHOTS = "tiny_ep50_ctxv1", 16


def job(args: argparse.Namespace, dataset: str, ratio: float, views: int, seed: int) -> Job:
    """One run; every V has an output folder of its own."""
    options = ("INPUT.CACHED_VIEWS", str(views), "TRAIN.STEPS", str(args.steps))
    output = str(Path(args.output) / f"views_{views}")
    return Job(dataset, "CoOp", CONFIG, seed, ratio, SHOTS, args.root, output, options)


def collect(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Base and new accuracy of every setting, and paired differences to V = 0."""
    rows = []
    for dataset, ratio in product(args.datasets, args.ratios):
        plain: dict[str, list[float]] = {}
        for views in args.views:
            values = halves([job(args, dataset, ratio, views, seed) for seed in args.seeds])
            plain = plain or values
            row: dict[str, Any] = {"dataset": dataset, "tau": ratio, "views": views}
            for half, measured in values.items():
                row[half] = cell(measured)
                if views != args.views[0]:
                    row[half][f"minus V={args.views[0]}"] = difference(measured, plain[half])
            rows.append(row)
    return rows


def main() -> int:
    """Run what is missing, print the table, write JSON."""
    p = parser(__doc__.splitlines()[0], "output/feature_cache", DATASETS, range(1, 6))
    p.add_argument("--ratios", nargs="+", type=float, default=list(RATIOS))
    p.add_argument("--views", nargs="+", type=int, default=list(VIEWS), help="the first is plain")
    args = p.parse_args()
    grid = product(args.datasets, args.ratios, args.views, args.seeds)
    if not run([job(args, *point) for point in grid], args):
        return 1
    rows = collect(args)
    keys = ("dataset", "tau", "views")
    lines = [[*(r[k] for k in keys), text_of(r["base"]), text_of(r["new"])] for r in rows]
    print(tabulate(lines, ["dataset", "tau", "V", "base", "new"], tablefmt="github"))
    print(f"Per cent, mean ± sd over seeds {args.seeds}; (difference to V=0 [95 % interval]).")
    if args.out:
        write_json(args.out, {"seeds": args.seeds, "steps": args.steps, "rows": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
