"""The main job in one command: three methods on the drawn datasets, then the table."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from npt_plugin.cli import sweep
from npt_plugin.cli.help_format import WithDefaults, examples
from npt_plugin.embedded.benchmarks import BENCHMARKS, ensure_benchmarks
from npt_plugin.system.exit_codes import OK, exit_code

SEEDS = (1, 2, 3)
TRAINERS = ("ZeroshotCLIP", "CoOp", "NPT_CoOp")
DATASETS = ("embedded_objects", "embedded_shades", "embedded_textures", "embedded_overhead")
VIEWS = 8
"""Augmented views cached per image: the demo trains on features, the papers on fresh crops."""

STEPS = 400
"""Optimiser steps of every run: what 16 balanced shots of 16 classes take in 50 epochs."""

DRAWN = {spec.directory: name for name, spec in BENCHMARKS.items()}
"""Names of the drawn datasets: as in the folder, as in the registry."""


def parser() -> argparse.ArgumentParser:
    """Flags of ``npt demo``."""
    p = argparse.ArgumentParser(
        prog="npt demo",
        description=__doc__,
        epilog=examples("npt demo", "npt demo --seeds 1 --output output/one"),
        formatter_class=WithDefaults,
    )
    drawn = f"of {', '.join(DRAWN)}"
    p.add_argument(
        "--datasets", nargs="+", default=DATASETS, choices=DRAWN, metavar="NAME", help=drawn
    )
    p.add_argument("--seeds", nargs="+", type=int, default=SEEDS, help="each 0 or more")
    p.add_argument("--steps", type=int, default=STEPS, help="optimiser steps of every run")
    p.add_argument("--ratio", type=float, default=0.06, help="tau = n_min / n_max")
    p.add_argument("--shots", type=int, default=16, help="images of the largest class")
    p.add_argument("--output", default="output/demo", help="folder of runs and table")
    p.add_argument("--root", default="data", help="folder the datasets are drawn into")
    p.add_argument("--jobs", type=int, default=0, help="processes at a time; 0: one a core")
    return p


def run(args: argparse.Namespace) -> int:
    """Draw what is missing, run what is missing, print the table."""
    words = ["--datasets", *args.datasets, "--trainers", *TRAINERS]
    words += ["--seeds", *map(str, args.seeds), "--ratios", str(args.ratio)]
    words += ["--shots", str(args.shots), "--output", args.output, "--root", args.root]
    words += ["--jobs", str(args.jobs)] if args.jobs else []
    ensure_benchmarks(args.root, [DRAWN[name] for name in args.datasets])
    options = ["INPUT.CACHED_VIEWS", str(VIEWS), "TRAIN.STEPS", str(args.steps)]
    code = sweep.main([*words, "--opts", *options])
    if code == OK:
        print(
            f"Demo setting: embedded tiny CLIP, {args.steps} steps for every method (balanced "
            f"shots take {STEPS} in 50 epochs) on {VIEWS} cached augmented views an "
            "image; the papers: ViT-B/16, 200 epochs, fresh crops."
        )
    return code


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    return exit_code(run, parser().parse_args(argv))
