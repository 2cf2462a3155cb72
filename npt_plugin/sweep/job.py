"""The base-to-new protocol of one run: train on the base classes, test on base and on new."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from npt_plugin.runs.configs import configs_folder, dataset_config, trainer_config
from npt_plugin.runs.record import RESULTS, is_completed, read_record
from npt_plugin.system.exit_codes import exit_code

BASE, NEW = "train_base", "test_new"
"""Folders below ``<output>/base2new``: results on the base and on the new classes."""


@dataclass(frozen=True)
class Job:
    """One trainer on one dataset, one seed, one imbalance ratio.

    Attributes:
        dataset: Name of a file in ``configs/datasets`` without ``.yaml``.
        trainer: Registry name.
        config: Name of a file in ``configs/trainers/<trainer>`` without ``.yaml``.
        seed: 0 or more.
        ratio: tau = n_min / n_max.
        shots: n_max, images of the largest class.
        root: Folder of the datasets; empty: the embedded benchmarks' own.
        output: Top folder of all runs.
        options: Further ``KEY value`` overrides.
    """

    dataset: str
    trainer: str
    config: str
    seed: int
    ratio: float = 1.0
    shots: int = 16
    root: str = ""
    output: str = "output"
    options: tuple[str, ...] = field(default=())

    @property
    def name(self) -> str:
        """For progress lines."""
        return f"{self.dataset} {self.trainer} tau {self.ratio:g} seed {self.seed}"

    def folder(self, part: str) -> Path:
        """Output folder of the base (``BASE``) or new (``NEW``) half."""
        return (
            Path(self.output)
            / "base2new"
            / part
            / self.dataset
            / f"shots_{self.shots}"
            / f"ratio_{self.ratio:g}"
            / self.trainer
            / self.config
            / f"seed{self.seed}"
        )

    def done(self) -> bool:
        """Whether both halves have completed."""
        return all(is_completed(self.folder(part)) for part in (BASE, NEW))


def arguments(job: Job, part: str, configs: Path) -> list[str]:
    """The ``train.py`` command line of one half."""
    words = [
        *("--seed", str(job.seed)),
        *("--trainer", job.trainer),
        *("--dataset-config-file", str(dataset_config(job.dataset, configs))),
        *("--config-file", str(trainer_config(job.config, job.trainer, configs))),
        *("--output-dir", str(job.folder(part))),
    ]
    if job.root:
        words += ["--root", job.root]
    if part == NEW:
        words += ["--eval-only", "--model-dir", str(job.folder(BASE))]
        trained = read_record(job.folder(BASE) / RESULTS)
        if trained.get("selection") != "best_val":  # else the best model, which has no number
            words += ["--load-epoch", str(trained["epochs"])]
    return [
        *words,
        *("DATASET.NUM_SHOTS", str(job.shots)),
        *("DATASET.SUBSAMPLE_CLASSES", "base" if part == BASE else "new"),
        *("DATASET.IMBALANCE.RATIO", str(job.ratio)),
        *job.options,
    ]


def run_job(job: Job, configs: Path) -> None:
    """Run what is not completed yet; raises what the runs raise."""
    from npt_plugin.cli import train

    for part in (BASE, NEW):
        if is_completed(job.folder(part)):
            continue
        stdout = sys.stdout
        try:
            train.run(train.parser().parse_args(arguments(job, part, configs)))
        finally:
            if sys.stdout is not stdout:  # Dassl's logger stands in for stdout
                sys.stdout.close()
            sys.stdout = stdout


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


if __name__ == "__main__":
    sys.exit(main())
