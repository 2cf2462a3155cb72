"""How far a sweep is, read from its plan, its claims and its records: from anywhere."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from npt_plugin.errors import UserError
from npt_plugin.sweep import attempts as log
from npt_plugin.sweep.attempts import Attempt
from npt_plugin.sweep.claims import DIED, Claims
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.plan import FOLDER, plans_below, read_plan

LOOK_EVERY = 2.0
"""Seconds between two looks of ``follow``."""


@dataclass(frozen=True)
class Status:
    """Where the jobs of a sweep stand.

    Attributes:
        done: Completed, whoever ran them and when.
        running: With who runs them, as far as is known.
        waiting: Free to be claimed.
        failed: With the reason; the next ``npt sweep`` repeats them.
        seconds: What each job took that this sweep has run.
    """

    done: list[Job] = field(default_factory=list)
    running: list[tuple[Job, Attempt | None]] = field(default_factory=list)
    waiting: list[Job] = field(default_factory=list)
    failed: list[tuple[Job, str]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        """Whether nothing runs and nothing waits."""
        return not self.running and not self.waiting

    def seconds_left(self, at: datetime | None = None) -> float | None:
        """An estimate: mean time a job, over as many workers as run now; None without ground."""
        if self.ended or not self.seconds or not self.running:
            return None
        mean, at = sum(self.seconds) / len(self.seconds), at or datetime.now(UTC)
        ages = [_age(attempt, at) for _, attempt in self.running]
        begun = sum(max(0.0, mean - age) for age in ages)
        return (begun + mean * len(self.waiting)) / len(self.running)


def status_of(jobs: Sequence[Job], claims: Claims) -> Status:
    """Look once.

    Args:
        jobs: Of one or more plans.
        claims: Kept from look to look it learns which owners are silent.
    """
    status = Status()
    for job in jobs:
        state = claims.state(job)
        attempt = state.attempt
        if state.name == log.DONE and attempt and attempt.seconds:
            status.seconds.append(attempt.seconds)
        if state.name == log.RUNNING:
            status.running.append((job, attempt))
        elif job.done():
            status.done.append(job)
        elif state.name == log.FAILED and attempt:
            status.failed.append((job, attempt.reason))
        elif state.name == DIED:
            how = f"; {attempt.reason}" if attempt and attempt.reason else _on(attempt)
            status.failed.append((job, f"its process died {state.deaths} times{how}"))
        elif state.name == log.DONE:
            status.failed.append((job, "its results are gone"))
        else:
            status.waiting.append(job)
    return status


def jobs_below(output: str | Path, claims: Claims) -> list[Job]:
    """The jobs of the sweep that was started last, and of others of which something runs.

    Raises:
        UserError: If there is no sweep.
    """
    plans = [read_plan(path) for path in plans_below(output)]
    if not plans:
        raise UserError(f"{output} holds no sweep: give the --output of one.")
    jobs = dict.fromkeys(plans[0].jobs)
    for plan in plans[1:]:
        if any(claims.state(job).name == log.RUNNING for job in plan.jobs):
            jobs.update(dict.fromkeys(plan.jobs))
    return list(jobs)


def follow(jobs: Sequence[Job], claims: Claims) -> Iterator[Status]:
    """Look again and again, until nothing runs and nothing waits."""
    while True:
        status = status_of(jobs, claims)
        yield status
        if status.ended:
            return
        time.sleep(LOOK_EVERY)


def summary(status: Status) -> str:
    """One line: counts, and when it ends."""
    counts = {
        "done": len(status.done),
        "running": len(status.running),
        "waiting": len(status.waiting),
        "failed": len(status.failed),
    }
    said = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    line = f"{sum(counts.values())} runs: {said}"
    left = status.seconds_left()
    if left is None:
        return line
    ends = datetime.now() + timedelta(seconds=left)
    return f"{line}; about {_duration(left)} left, until {ends:%H:%M}"


def lines(status: Status) -> list[str]:
    """The whole status: the summary, then what runs where and since when, then what failed."""
    now = datetime.now(UTC)
    found = [summary(status)]
    for job, attempt in status.running:
        age = f", for {_duration(_age(attempt, now))}" if attempt and attempt.started else ""
        found.append(f"  running  {job.name}{_on(attempt)}{age}")
    found += [f"  failed   {job.name}: {reason}" for job, reason in status.failed]
    if status.failed:
        found.append("The same command repeats only what failed or is missing.")
    return found


def task_errors(output: str | Path) -> list[str]:
    """A line for each task of an engine that could not work at all, with the reason."""
    found = []
    for path in sorted(Path(output, FOLDER).glob("*/*.error")):
        said = path.read_text(encoding="utf-8", errors="replace").strip()
        found.append(f"  {path.stem.replace('-', ' ', 1)} cannot work: {said}")
    return found


def _on(attempt: Attempt | None) -> str:
    if attempt is None:
        return ""
    task = f", {attempt.task}" if attempt.task else ""
    return f" (process {attempt.owner.pid} on {attempt.owner.host}{task})"


def _age(attempt: Attempt | None, at: datetime) -> float:
    """Seconds since a job was begun; the clocks of two machines may differ: never below 0."""
    try:
        begun = datetime.fromisoformat(attempt.started if attempt else "")
        return max(0.0, (at - begun).total_seconds())
    except (ValueError, TypeError):
        return 0.0


def _duration(seconds: float) -> str:
    """``40 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
