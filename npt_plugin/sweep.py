"""Run a grid of base-to-new jobs, several at a time, one process each; then print the table."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import product
from pathlib import Path

from tqdm import tqdm

from npt_plugin.base2new import BASE, Job, add_job_flags
from npt_plugin.errors import UserError

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
                dataset, trainer, args.config, seed, ratio, args.shots, args.root, args.output,
                tuple(args.opts),
            )  # fmt: skip
        )
    return jobs


def command(job: Job, configs: str) -> list[str]:
    """The command line that runs one job."""
    words = [sys.executable, "-m", "npt_plugin.base2new"]
    words += ["--dataset", job.dataset, "--trainer", job.trainer, "--config", job.config]
    words += ["--seed", str(job.seed), "--ratio", str(job.ratio), "--shots", str(job.shots)]
    words += ["--root", job.root, "--output", job.output, "--configs", configs]
    return [*words, "--opts", *job.options] if job.options else words


def run_all(jobs: Sequence[Job], configs: str, parallel: int) -> dict[str, str]:
    """Run every job that has not completed; returns ``{job name: reason}`` of the failures."""
    todo = [job for job in jobs if not job.done()]
    print(f"{len(jobs)} runs, {len(jobs) - len(todo)} completed already, {len(todo)} to do")
    failed: dict[str, str] = {}
    with ThreadPoolExecutor(parallel) as pool:
        waiting = {pool.submit(_run, job, configs, parallel): job for job in todo}
        bar = tqdm(as_completed(waiting), total=len(todo), desc="runs", unit="run")
        for future in bar:
            job = waiting[future]
            bar.set_postfix_str(job.name)
            reason = future.result()
            if reason:
                failed[job.name] = reason
                bar.write(f"failed: {job.name}: {reason}", file=sys.stderr)
    return failed


def _run(job: Job, configs: str, parallel: int) -> str:
    """Run one job in its own process; returns why it failed, or an empty string."""
    env = dict(os.environ)
    if parallel > 1:  # one core a process
        env.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
    done = subprocess.run(
        command(job, configs), env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode == 0:
        return ""
    last = (done.stdout.strip().splitlines() or ["no output"])[-1].removeprefix("error: ")
    return f"{last} (exit {done.returncode}, log in {job.folder(BASE)})"


def parser() -> argparse.ArgumentParser:
    """Flags of ``npt sweep``."""
    p = argparse.ArgumentParser(prog="npt sweep", description=__doc__)
    p.add_argument("--datasets", nargs="+", required=True)
    p.add_argument("--trainers", nargs="+", default=[UNTRAINED, "CoOp", "NPT_CoOp"])
    p.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    p.add_argument("--ratios", nargs="+", type=float, default=[0.06])
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at a time")
    add_job_flags(p)
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Run the grid, then print and write the table; exit 1 if a run failed, 2 on bad input."""
    from npt_plugin.report.base2new import report

    args = parser().parse_args(argv)
    try:
        if args.jobs < 1:
            raise UserError(f"--jobs is {args.jobs}; it must be 1 or more.")
        failed = run_all(grid(args), args.configs, args.jobs)
        report(Path(args.output))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for name, reason in failed.items():
        print(f"failed: {name}: {reason}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
