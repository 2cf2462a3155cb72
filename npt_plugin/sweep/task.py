"""One run of a worker, in a process of its own: what it is told, and how it ends."""

from __future__ import annotations

import json
import random
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from npt_plugin.registration import register_all
from npt_plugin.sweep.job import Job, Step, run_step
from npt_plugin.sweep.plan import job_of
from npt_plugin.system.exit_codes import exit_code
from npt_plugin.system.locks import wait_until_free
from npt_plugin.system.shared import sharing

PATIENCE = 60.0
"""Seconds that a run waits for the last step of one before it that was killed in its folder."""


@dataclass(frozen=True)
class Task:
    """One run of a job.

    Attributes:
        job: The job.
        number: Which of its steps.
        configs: Folder of the yaml files.
        shared: Folder of what the runs of a sweep share.
    """

    job: Job
    number: int
    configs: str
    shared: str

    @property
    def step(self) -> Step:
        """The run."""
        return self.job.steps()[self.number]

    def as_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))


def read_task(line: str) -> Task:
    """What ``as_json`` wrote."""
    held = json.loads(line)
    job: dict[str, Any] = held.pop("job")
    return Task(job_of(job, job.pop("output")), **held)


def carry_out(task: Task) -> int:
    """Do it in this process; returns the exit code after saying what went wrong."""
    random.seed()  # a run without a seed is another one each time, also in a forked process
    np.random.seed()
    return exit_code(_run, task)


def _run(task: Task) -> None:
    register_all(base=True)
    step = task.step
    wait_until_free(step.folder, PATIENCE)
    with sharing(task.shared):
        run_step(step, Path(task.configs))


if __name__ == "__main__":  # where processes cannot be forked
    sys.exit(carry_out(read_task(sys.stdin.readline())))
