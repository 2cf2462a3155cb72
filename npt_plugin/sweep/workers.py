"""Run jobs several at a time on this machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from npt_plugin.sweep.begin import begin
from npt_plugin.sweep.claims import Claims
from npt_plugin.sweep.engines.local import Local
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.status import status_of


def run_all(
    jobs: Sequence[Job],
    configs: Path,
    parallel: int = 0,
    per_device: int = 0,
    together: bool = False,
) -> dict[str, str]:
    """Run every job that has not completed; returns ``{job name: reason}`` of the failures.

    Ctrl-C and SIGTERM are passed on to the runs, which finish their step; nothing new starts.

    Args:
        jobs: All that are asked for; those of several output folders are run folder by folder.
        configs: Folder of the yaml files.
        parallel, per_device: See :class:`~npt_plugin.sweep.engines.local.Local`.
        together: Whether runs that can train in one pass, see :mod:`~npt_plugin.sweep.groups`.

    Raises:
        UserError: Before anything runs, if a run has completed with other settings.
    """
    by_output: dict[str, list[Job]] = {}
    for job in jobs:
        by_output.setdefault(os.path.abspath(job.output), []).append(job)
    engine, failed = Local(parallel, per_device), dict[str, str]()
    for some in by_output.values():  # a plan is of one folder
        plan, todo = begin(some, configs, engine.width if together else 0)
        if todo:
            engine.start(plan)
        status = status_of(plan.jobs, Claims(plan.output))
        failed |= {job.name: reason for job, reason in status.failed}
    return failed
