"""Run a grid of base-to-new jobs, several at a time, one process each; then print the table."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from npt_plugin.cli.base2new import add_job_flags
from npt_plugin.errors import UserError
from npt_plugin.report.write import report
from npt_plugin.runs.configs import configs_folder
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.workers import run_all
from npt_plugin.system.exit_codes import FAILED, OK, exit_code

UNTRAINED = "ZeroshotCLIP"
"""Has no seed and no imbalance: run once per dataset."""


def grid(args: argparse.Namespace) -> list[Job]:
    """All jobs of the sweep, datasets outermost."""
    jobs = []
    for dataset, ratio, seed, trainer in product(
        args.datasets, args.ratios, args.seeds, args.trainers
    ):
        if trainer == UNTRAINED and seed != args.seeds[0]:
            continue
        jobs.append(
            Job(
                dataset,
                trainer,
                args.config,
                seed,
                ratio,
                args.shots,
                args.root,
                args.output,
                tuple(args.opts),
            )
        )
    return jobs


def parser() -> argparse.ArgumentParser:
    """Flags of ``npt sweep``."""
    p = argparse.ArgumentParser(
        prog="npt sweep",
        description=__doc__,
        epilog="Example: npt sweep --datasets embedded_objects embedded_shades --trainers "
        "ZeroshotCLIP CoOp NPT_CoOp --seeds 1 2 3 --ratios 0.06 0.25 1 --output output/grid",
    )
    p.add_argument("--datasets", nargs="+", required=True)
    p.add_argument("--trainers", nargs="+", default=[UNTRAINED, "CoOp", "NPT_CoOp"])
    p.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    p.add_argument("--ratios", nargs="+", type=float, default=[0.06])
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at a time")
    p.add_argument(
        "--plots",
        action="store_true",
        default=None,
        help="pictures in the report (matplotlib); without it they stay if they are there",
    )
    add_job_flags(p)
    return p


def run(args: argparse.Namespace) -> int:
    """Run the grid, then print and write the report; 1 if a run failed."""
    if args.jobs < 1:
        raise UserError(f"--jobs is {args.jobs}; it must be 1 or more.")
    jobs = grid(args)
    configs = configs_folder(args.configs)
    print(f"Configs: {configs}")
    failed = run_all(jobs, configs, args.jobs)
    if any(job.done() for job in jobs):
        report(Path(args.output), plots=args.plots)
    for name, reason in failed.items():
        print(f"failed: {name}: {reason}", file=sys.stderr)
    if failed:
        print(f"{len(failed)} of {len(jobs)} runs failed; the same call repeats only these.")
    return FAILED if failed else OK


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    return exit_code(run, parser().parse_args(argv))
