"""What a process of a worker does: one run, or several jobs that train in one pass."""

from __future__ import annotations

import json
import random
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from npt_plugin.backbone.kept import give_copies
from npt_plugin.registration import register_all
from npt_plugin.sweep.job import Job, Step, run_step
from npt_plugin.sweep.plan import job_of
from npt_plugin.sweep.together import perform_together
from npt_plugin.system.exit_codes import exit_code
from npt_plugin.system.locks import wait_until_free
from npt_plugin.system.shared import sharing

PATIENCE = 60.0
"""Seconds that a run waits for the last step of one before it that was killed in its folder."""


@dataclass(frozen=True)
class Task:
    """One run of a job, or all runs of several.

    Attributes:
        job: The job.
        number: Which of its steps.
        configs: Folder of the yaml files.
        shared: Folder of what the runs of a sweep share.
        companions: Jobs whose first runs train in the same pass as this job's; after it, the tests
            of all of them.
    """

    job: Job
    number: int
    configs: str
    shared: str
    companions: tuple[Job, ...] = ()

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
    job, *companions = (_read_job(words) for words in (held.pop("job"), *held.pop("companions")))
    return Task(job, **held, companions=tuple(companions))


def _read_job(words: dict[str, Any]) -> Job:
    return job_of(words, words.pop("output"))


def carry_out(task: Task) -> int:
    """Do it in this process; returns the exit code after saying what went wrong."""
    random.seed()  # a run without a seed is another one each time, also in a forked process
    np.random.seed()
    return exit_code(_run_together if task.companions else _run, task)


def _run(task: Task) -> None:
    register_all(base=True)
    with sharing(task.shared):
        _run_when_free(task.step, Path(task.configs))


def _run_together(task: Task) -> None:
    register_all(base=True)
    configs = Path(task.configs)
    steps = [job.steps()[0] for job in (task.job, *task.companions)]
    todo = [step for step in steps if not step.finished(configs)]
    for step in todo:
        wait_until_free(step.folder, PATIENCE)
    give_copies()
    with sharing(task.shared):
        ended = perform_together([step.request(configs) for step in todo])
        for step, error in zip(todo, ended, strict=True):
            if error is None:
                _finish(step.job, configs)
            else:  # it is tried again alone, and says so then
                print(f"{step.job.name}: {error}")


def _finish(job: Job, configs: Path) -> None:
    """The tests of a job whose training has completed; what fails is tried again alone."""
    try:
        for step in job.steps()[1:]:
            _run_when_free(step, configs)
    except Exception as error:
        print(f"{job.name}: {error}")


def _run_when_free(step: Step, configs: Path) -> None:
    wait_until_free(step.folder, PATIENCE)
    run_step(step, configs)


if __name__ == "__main__":  # where processes cannot be forked
    sys.exit(carry_out(read_task(sys.stdin.readline())))
