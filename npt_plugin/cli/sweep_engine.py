"""Flags of ``npt sweep`` that say where runs are run, and how far they are."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from npt_plugin.errors import UserError, nearest_hint
from npt_plugin.report.write import report
from npt_plugin.sweep.begin import begin
from npt_plugin.sweep.claims import Claims
from npt_plugin.sweep.engines import Engine
from npt_plugin.sweep.engines.local import Local
from npt_plugin.sweep.engines.ray import Ray
from npt_plugin.sweep.engines.slurm import TASKS, Slurm
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.status import Status, follow, jobs_below, lines, status_of, task_errors
from npt_plugin.sweep.tell import Teller
from npt_plugin.system.exit_codes import FAILED, OK

ENGINES = ("local", "slurm", "ray")


_FOLLOW = "stay until the sweep in --output has ended; without --datasets nothing is started"


def add_engine_flags(p: argparse.ArgumentParser, follow: str = _FOLLOW) -> None:
    """Flags for engines and for the status, in a group of their own.

    Args:
        p: The command's parser.
        follow: What ``--follow`` does there.
    """
    group = p.add_argument_group("where it runs, and how far it is")
    group.add_argument("--engine", default="local", metavar="NAME", help=", ".join(ENGINES))
    group.add_argument(
        "--array-parallelism",
        "--workers",
        dest="workers",
        type=int,
        default=0,
        metavar="N",
        help=f"tasks of the Slurm array at a time, or actors of Ray; 0: {TASKS}, and what the Ray "
        "cluster has room for",
    )
    group.add_argument(
        "--slurm",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        help="options of sbatch: partition=gpu gres=gpu:1 account=me qos=long mem=32G time=8:00:00",
    )
    group.add_argument("--ray", default="auto", metavar="ADDRESS", help="of the Ray cluster")
    group.add_argument(
        "--status",
        action="store_true",
        help="say how far the sweep in --output is, wherever it runs; nothing is started",
    )
    group.add_argument("--follow", action="store_true", help=follow)


def engine_of(args: argparse.Namespace) -> Engine:
    """The engine that the flags ask for.

    Raises:
        UserError: On an unknown name, or flags that do not fit it.
    """
    if args.engine not in ENGINES:
        hint = nearest_hint(args.engine, ENGINES)
        raise UserError(
            f"There is no engine {args.engine!r}{hint}; there are {', '.join(ENGINES)}."
        )
    if args.workers < 0:
        raise UserError(f"--array-parallelism is {args.workers}; it must be 0 or more.")
    if args.slurm and args.engine != "slurm":
        raise UserError(f"--slurm goes with --engine slurm, not with {args.engine}.")
    if args.engine == "local":
        return Local(args.jobs, args.per_device)
    if args.jobs:
        raise UserError(f"--jobs goes with --engine local; with {args.engine} it is --workers.")
    each = args.per_device or 1
    if args.engine == "ray":
        return Ray(args.ray, args.workers, each)
    return Slurm(args.workers, _pairs(args.slurm), each)


def only_looks(args: argparse.Namespace) -> bool:
    """Whether the flags ask for a sweep that is there, and start none."""
    return args.status or (args.follow and not args.datasets)


def look(args: argparse.Namespace) -> int:
    """Say how far the sweep in ``--output`` is; with ``--follow`` stay until it has ended.

    Raises:
        UserError: If there is none.
    """
    claims = Claims(args.output)
    jobs = jobs_below(args.output, claims)
    status = _followed(jobs, claims) if args.follow else status_of(jobs, claims)
    print("\n".join(lines(status) + task_errors(args.output)))
    if args.follow:
        return _reported(args, status)
    return OK


def start(args: argparse.Namespace, engine: Engine, jobs: Sequence[Job], configs: Path) -> int:
    """Start the sweep on the engine; where one waits for the end, print the report; 1 if a run
    failed.

    Raises:
        UserError: As engines do, and if a run has completed with other settings.
    """
    status = run_on(engine, jobs, configs, args.follow, args.together)
    return OK if status is None else _reported(args, status)


def run_on(
    engine: Engine, jobs: Sequence[Job], configs: Path, stay: bool, together: bool = False
) -> Status | None:
    """Start the jobs that are to do on the engine.

    Args:
        engine: Where.
        jobs: All of the sweep.
        configs: Folder of the yaml files.
        stay: Whether to wait for the end where the engine does not.
        together: Whether runs that can train in one pass, see :mod:`~npt_plugin.sweep.groups`.

    Returns:
        How it ended; None: it goes on elsewhere.

    Raises:
        UserError: As engines do, and if a run has completed with other settings.
    """
    plan, todo = begin(jobs, configs, engine.width if together else 0)
    if todo:
        engine.start(plan)
    claims = Claims(plan.output)
    if engine.waits or not todo:
        return status_of(plan.jobs, claims)
    return _followed(plan.jobs, claims) if stay else None


def _followed(jobs: Sequence[Job], claims: Claims) -> Status:
    teller, status = Teller(jobs, lines=False), Status()
    try:
        for status in follow(jobs, claims):
            teller.tell(status)
    finally:
        teller.close()
    return status


def _reported(args: argparse.Namespace, status: Status) -> int:
    if status.done:
        report(Path(args.output), plots=args.plots, reference=args.reference)
    for job, reason in status.failed:
        print(f"failed: {job.name}: {reason}", file=sys.stderr)
    if status.failed:
        total = len(status.failed) + len(status.done)
        print(f"{len(status.failed)} of {total} runs failed; the same call repeats only these.")
    return FAILED if status.failed else OK


def _pairs(words: list[str]) -> dict[str, str]:
    """``KEY=VALUE`` words; the value may hold further ``=``.

    Raises:
        UserError: If a word has no key or no value.
    """
    pairs = dict[str, str]()
    for word in words:
        key, _, value = word.partition("=")
        if not key or not value:
            raise UserError(f"--slurm {word}: write KEY=VALUE, for example partition=gpu.")
        pairs[key] = value
    return pairs
