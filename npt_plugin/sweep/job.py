"""The base-to-new protocol of one run: train on the base classes, test on base and on new."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

from npt_plugin.runs.configs import dataset_config, trainer_config
from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import is_completed, read_record
from npt_plugin.runs.settings import Request
from npt_plugin.sweep.run import perform

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


def request(job: Job, part: str, configs: Path) -> Request:
    """What ``train.py`` is asked for in one half."""
    model_dir, epoch = "", None
    if part == NEW:
        model_dir = str(job.folder(BASE))
        trained = read_record(job.folder(BASE) / RESULTS)
        if trained.selection != "best_val":  # else the best model, which has no number
            epoch = trained.epochs
    return Request(
        trainer=job.trainer,
        dataset_config_file=str(dataset_config(job.dataset, configs)),
        config_file=str(trainer_config(job.config, job.trainer, configs)),
        output_dir=str(job.folder(part)),
        root=job.root,
        seed=job.seed,
        eval_only=part == NEW,
        model_dir=model_dir,
        load_epoch=epoch,
        opts=[
            *("DATASET.NUM_SHOTS", str(job.shots)),
            *("DATASET.SUBSAMPLE_CLASSES", "base" if part == BASE else "new"),
            *("DATASET.IMBALANCE.RATIO", str(job.ratio)),
            *job.options,
        ],
    )


def run_job(job: Job, configs: Path) -> None:
    """Run what is not completed yet; raises what the runs raise."""
    for part in (BASE, NEW):
        if is_completed(job.folder(part)):
            continue
        stdout = sys.stdout
        try:
            perform(request(job, part, configs))
        finally:
            if sys.stdout is not stdout:  # Dassl's logger stands in for stdout
                sys.stdout.close()
            sys.stdout = stdout
