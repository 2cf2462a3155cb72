"""A sweep's mistakes, found before its first run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from npt_plugin.errors import UserError
from npt_plugin.runs.configs import dataset_config
from npt_plugin.runs.settings import build_cfg
from npt_plugin.sweep.job import Job


def refuse_mistakes(jobs: Iterable[Job], configs: Path) -> None:
    """Build the config of every training once; runs that differ by seed alone have the same.

    Args:
        jobs: All of a sweep.
        configs: Folder of the yaml files.

    Raises:
        UserError: For the first unknown trainer, dataset, config or key, or value out of range.
    """
    for job in jobs:
        if job.seed < 0:
            raise UserError(f"--seeds has {job.seed}: a sweep's seeds are 0 or more.")
    for job in dict.fromkeys(replace(job, seed=0) for job in jobs):
        build_cfg(job.steps()[0].request(configs))
        for target in job.targets:
            dataset_config(target, configs)
