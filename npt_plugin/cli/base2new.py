"""The base-to-new protocol of one run: train on the base classes, test on base and on new."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from npt_plugin.runs.configs import configs_folder
from npt_plugin.sweep.job import Job, run_job
from npt_plugin.system.exit_codes import exit_code


def main(argv: Sequence[str] | None = None) -> int:
    """Run one job in this process (the sweep starts one process a job)."""
    p = argparse.ArgumentParser(
        prog="npt base2new",
        description=__doc__,
        epilog="Example: npt base2new --dataset embedded_objects --trainer NPT_CoOp --seed 1 "
        "--ratio 0.06",
    )
    add_job_flags(p)
    p.add_argument("--dataset", required=True, help="file name in configs/datasets")
    p.add_argument("--trainer", required=True, help="registry name of the trainer")
    p.add_argument("--seed", type=int, required=True)
    p.add_argument("--ratio", type=float, default=1.0, help="tau = n_min / n_max")
    args = p.parse_args(argv)
    job = Job(
        args.dataset,
        args.trainer,
        args.config,
        args.seed,
        args.ratio,
        args.shots,
        args.root,
        args.output,
        tuple(args.opts),
    )
    return exit_code(_run_one, job, args.configs)


def _run_one(job: Job, configs: str) -> None:
    run_job(job, configs_folder(configs))


def add_job_flags(p: argparse.ArgumentParser) -> None:
    """Flags that a single job and a sweep share."""
    p.add_argument(
        "--config", default="tiny_ep50_ctxv1", help="file name in configs/trainers/<trainer>"
    )
    p.add_argument(
        "--configs", default="", help="folder of your own yaml files; default: the ones we ship"
    )
    p.add_argument("--shots", type=int, default=16, help="images of the largest class")
    p.add_argument("--root", default="", help="folder of the datasets")
    p.add_argument("--output", default="output", help="top folder of all runs")
    p.add_argument("--opts", nargs=argparse.REMAINDER, default=[], help="KEY value ...")
