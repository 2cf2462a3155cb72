"""A worker: claims the next job of a plan, does its runs, says how they ended, until none is left.

Engines call :func:`serve` in as many processes or threads, on as many machines, as they like.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import lru_cache

from npt_plugin.runs.record import is_completed
from npt_plugin.sweep import attempts
from npt_plugin.sweep import claims as states
from npt_plugin.sweep.claims import Claim, Claims
from npt_plugin.sweep.groups import groups
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.plan import FOLDER, Plan
from npt_plugin.sweep.runner import Outcome, Runner
from npt_plugin.sweep.task import Task

SHARED = "shared"
"""Folder below the sweep's own of what its runs share."""

_SETTLED = (attempts.DONE, attempts.FAILED, states.DIED)
_LAST = 2
"""Jobs for each worker that are the last ones."""

_PAUSE, _LONGEST = 0.1, 5.0
"""Seconds between two looks at jobs that others have; more where a look takes long itself, as they
need the cores and the file system."""


def serve(
    plan: Plan,
    claims: Claims,
    stop: Callable[[], bool],
    *,
    environment: Mapping[str, str] | None = None,
    linger: float = 0.0,
) -> None:
    """Do jobs of a plan until nothing is left or ``stop()`` says so.

    Args:
        plan: The jobs.
        claims: Where this worker makes its claims.
        stop: Asked several times a second. Once it is true, the run in progress finishes its step,
            its claim is given back, and the next worker goes on from its last epoch.
        environment: Added to this process's for the runs, for example ``CUDA_VISIBLE_DEVICES``.
        linger: Seconds to stay, idle, while other workers have jobs, to take those if they die.
    """
    runner, last, idle = Runner(environment), None, 0.0
    with _ONE_AT_A_TIME:  # workers are threads: the second finds what the first has found
        companions = _companions(plan)
    try:
        while not stop():
            began = time.monotonic()
            claim, left = _next(plan, claims, last, companions)
            took = time.monotonic() - began
            if claim is not None:
                last, idle = _kin(claim.job), 0.0
                others = map(claims.take, companions.get(claim.job, ()))
                _attempt_all([claim, *filter(None, others)], plan, runner, stop)
            elif left and idle < linger:
                runner.close()  # its memory is of more use to others
                idle += _wait(min(max(_PAUSE, 20 * took), _LONGEST), stop)
            else:
                return
    finally:
        runner.close()


def _wait(seconds: float, stop: Callable[[], bool]) -> float:
    """Wait so long, or until ``stop()``; returns the seconds."""
    until = time.monotonic() + seconds
    while not stop() and time.monotonic() < until:
        time.sleep(_PAUSE)
    return seconds


def _next(
    plan: Plan, claims: Claims, last: Hashable, companions: Mapping[Job, Sequence[Job]]
) -> tuple[Claim | None, bool]:
    """A claim on the job that this worker should do after its ``last`` kin; is any left?

    Not one of a group that another worker is taking; then one that shares most with what this
    worker has just done. Of the last jobs, one whose images nobody has encoded, so that no two
    wait for the same ones at the end.
    """
    refused = set[Job]()
    while True:
        found = {job: claims.state(job).name for job in plan.jobs}
        free = _in_order(found, last, companions)
        job = next((job for job in free if job not in refused), None)
        if job is None:
            return None, any(state not in _SETTLED for state in found.values())
        if claim := claims.take(job):
            return claim, True
        refused.add(job)  # another worker was first, and what is best now may be another one


def _in_order(
    found: Mapping[Job, str], last: Hashable, companions: Mapping[Job, Sequence[Job]]
) -> list[Job]:
    """Jobs that are free, best first; of equals in the plan's order."""
    free = [job for job, state in found.items() if state == states.WAITING]
    running = [job for job, state in found.items() if state == attempts.RUNNING]
    busy, begun = set(map(_kin, running)), {_kin(job) for job in found.keys() - set(free)}
    taken = {other for job in running for other in companions.get(job, ())}
    ending = len(free) <= _LAST * (1 + len(running))

    def rank(job: Job) -> tuple[bool, ...]:
        kin = _kin(job)
        return job in taken, ending and kin in begun, kin != last, kin in busy

    return sorted(free, key=rank)


def _kin(job: Job) -> Hashable:
    """Jobs that see the same training images; one of them computes their features."""
    return job.dataset, job.shots, job.ratio, job.seed, job.backbone, job.options


_ONE_AT_A_TIME = threading.Lock()


@lru_cache(maxsize=1)
def _companions(plan: Plan) -> dict[Job, list[Job]]:
    """With which others each job can train in one pass."""
    if not plan.together:
        return {}
    found = groups(plan.jobs, plan.configs, plan.together)
    return {job: [other for other in group if other != job] for group in found for job in group}


def _attempt_all(
    claimed: Sequence[Claim], plan: Plan, runner: Runner, stop: Callable[[], bool]
) -> None:
    """Several jobs in one pass, then each by itself: what that pass did not bring."""
    first, *others = (claim.job for claim in claimed)
    if others:
        shared = str(plan.output / FOLDER / SHARED)
        task = Task(first, 0, str(plan.configs), shared, tuple(others))
        runner.run(task, lambda: stop() or any(claim.lost.is_set() for claim in claimed))
    for claim in claimed:
        if stop():
            claim.release()
        else:
            _attempt(claim, plan, runner, stop, passed=bool(others))


def _attempt(
    claim: Claim, plan: Plan, runner: Runner, stop: Callable[[], bool], passed: bool
) -> None:
    outcome = _do(claim, plan, runner, lambda: stop() or claim.lost.is_set(), passed)
    where = f"log in {claim.job.folder()}"
    if claim.lost.is_set():
        return  # another worker has it
    if outcome.state == "done":
        claim.done()
    elif outcome.state == "failed":
        claim.failed(f"{outcome.said} (exit {outcome.code}, {where})")
    elif outcome.state == "died":
        claim.died(f"its process ended by {outcome.cause}, {where}")
    else:
        claim.release()


def _do(
    claim: Claim, plan: Plan, runner: Runner, stop: Callable[[], bool], passed: bool
) -> Outcome:
    """The runs of a job in order, as far as they get done.

    Args:
        claim, plan, runner, stop: Whose, of what, by whom, until when.
        passed: Whether runs may have completed in a pass just now, which are not begun again.
    """
    outcome, shared = Outcome("done"), str(plan.output / FOLDER / SHARED)
    for number, step in enumerate(claim.job.steps()):
        if passed and is_completed(step.folder):
            continue
        outcome = runner.run(Task(claim.job, number, str(plan.configs), shared), stop)
        if outcome.state != "done":
            break
    return outcome


def forget_shared(plan: Plan) -> None:
    """Remove what the runs of a plan have shared, if all of them are done."""
    claims = Claims(plan.output)
    if all(claims.state(job).name == attempts.DONE for job in plan.jobs):
        shutil.rmtree(plan.output / FOLDER / SHARED, ignore_errors=True)
