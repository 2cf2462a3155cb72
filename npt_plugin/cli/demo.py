"""The main job in one command: three methods on the drawn datasets, then the table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from npt_plugin.cli import sweep
from npt_plugin.embedded.benchmarks import BENCHMARKS, ensure_benchmarks
from npt_plugin.errors import UserError

SEEDS = (1, 2, 3)
TRAINERS = ("ZeroshotCLIP", "CoOp", "NPT_CoOp")
DATASETS = ("embedded_objects", "embedded_shades", "embedded_textures", "embedded_overhead")
VIEWS = 8
"""Augmented views cached per image: the demo trains on features, the papers on fresh crops."""

STEPS = 400
"""Optimiser steps of every run: what 16 balanced shots of 16 classes take in 50 epochs."""


def main(argv: Sequence[str] | None = None) -> int:
    """Draw what is missing, run what is missing, print the table."""
    p = argparse.ArgumentParser(prog="npt demo", description=__doc__)
    p.add_argument("--ratio", type=float, default=0.06, help="tau = n_min / n_max")
    p.add_argument("--shots", type=int, default=16, help="images of the largest class")
    p.add_argument("--output", default="output/demo", help="folder of runs and table")
    p.add_argument("--root", default="data", help="folder the datasets are drawn into")
    p.add_argument("--jobs", type=int, default=0, help="processes at a time; 0: one a core")
    args = p.parse_args(argv)
    words = ["--datasets", *DATASETS, "--trainers", *TRAINERS]
    words += ["--seeds", *map(str, SEEDS), "--ratios", str(args.ratio)]
    words += ["--shots", str(args.shots), "--output", args.output, "--root", args.root]
    words += ["--jobs", str(args.jobs)] if args.jobs else []
    try:
        ensure_benchmarks(args.root, [n for n, s in BENCHMARKS.items() if s.directory in DATASETS])
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    options = ["INPUT.FEATURE_CACHE", str(VIEWS), "TRAIN.STEPS", str(STEPS)]
    code = sweep.main([*words, "--opts", *options])
    if code == 0:
        print(
            f"Demo setting: embedded tiny CLIP, {STEPS} steps for every method (as many as "
            f"balanced shots take in 50 epochs) on {VIEWS} cached augmented views an "
            "image; the papers: ViT-B/16, 200 epochs, fresh crops."
        )
    return code
