"""Who runs which job of a sweep: claims on a file system that all workers share.

A job is claimed by one process at a time, whatever the number of workers, sweeps and machines. An
owner shows signs of life; one that shows none for its lease is dead, and its job is free again. On
one machine a dead owner is seen at once. No two clocks are compared: how long an owner was silent
is measured by who watches, with its own clock.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from npt_plugin.sweep import attempts as log
from npt_plugin.sweep.attempts import Attempt, Seen
from npt_plugin.sweep.job import Job
from npt_plugin.system.processes import Process, is_alive, this_process
from npt_plugin.system.signals import shielded

LEASE = 60.0
"""Seconds without a sign of life after which an owner counts as dead."""

DEATHS = 2
"""After so many owners of a job have died on it, it is left."""

WAITING, DIED = "waiting", log.DIED
"""States of a job: free to be claimed, beside those of an attempt; left after two deaths."""


@dataclass(frozen=True)
class State:
    """Where a job stands.

    Attributes:
        name: ``waiting``, ``running``, ``done``, ``failed`` or ``died``.
        attempt: The last attempt, if there is one: whose, since when, why it failed.
        deaths: Owners that died on it.
        number: Of the last attempt; 0: none.
    """

    name: str
    attempt: Attempt | None = None
    deaths: int = 0
    number: int = 0


class Claims:
    """The claims below one output folder, as one process sees and makes them.

    Args:
        output: Top folder of all runs.
        task: The engine's name for this process, shown by the status.
        lease: Seconds; also of the claims this process makes.
    """

    def __init__(self, output: str | Path, task: str = "", lease: float = LEASE) -> None:
        self.folder = Path(output, ".sweep", "claims")
        self.task, self.lease = task, lease
        self.owner = this_process()
        self._watch = Watch()
        self._done: dict[Path, State] = {}  # for good, and so not read again and again

    def take(self, job: Job) -> Claim | None:
        """Claim a job if it is free; None if it runs, is done, has failed or was left.

        Raises:
            UserError: If the output folder cannot be written.
        """
        state = self.state(job)
        if state.name != WAITING:
            return None
        folder, number = self._of(job), state.number + 1
        attempt = Attempt(job.name, self.owner, self.task, log.now(), self.lease)
        if not log.create_attempt(folder, number, attempt):
            return None
        return Claim(job, folder, number, attempt)

    def state(self, job: Job) -> State:
        """Where a job stands.

        An owner on another machine counts as dead only after this object has watched it being
        silent for its lease: ask again and again.
        """
        return self._state(self._of(job))

    def forgive(self, jobs: Iterable[Job]) -> None:
        """Make jobs that failed, were left, or have lost their results free again."""
        for job in jobs:
            state = self.state(job)
            if state.name in (log.DONE, log.FAILED, DIED) or (
                state.name == WAITING and state.deaths
            ):
                mark = Attempt(job.name, self.owner, self.task, log.now(), state=log.FORGIVEN)
                log.create_attempt(self._of(job), state.number + 1, mark)
                self._done.pop(self._of(job), None)

    def give_back(self, owner: Process, jobs: Iterable[Job]) -> None:
        """Free what a process had that is gone with its machine, without blame for the job.

        Only for an engine that knows so; anybody else waits until the owner's lease has ended.
        """
        for folder in map(self._of, jobs):
            for seen in log.read_attempts(folder):
                if seen.state == log.RUNNING and seen.attempt and seen.attempt.owner == owner:
                    log.end_attempt(folder, seen.number, seen.attempt, log.RELEASED)

    def settle(self, jobs: Iterable[Job]) -> None:
        """Note that jobs have completed, for those that no sweep with claims has run."""
        for job in jobs:
            state = self.state(job)
            if state.name in (WAITING, log.FAILED, DIED):
                mark = Attempt(job.name, self.owner, self.task, log.now(), state=log.DONE)
                log.create_attempt(self._of(job), state.number + 1, mark)

    def _of(self, job: Job) -> Path:
        """A job is told by where its first run lies: sweeps that share a run share its claim."""
        place = job.steps()[0].place.folder("").as_posix()
        return self.folder / hashlib.sha256(place.encode()).hexdigest()[:16]

    def _state(self, folder: Path) -> State:
        if folder not in self._done:
            state = self._read(folder)
            if state.name != log.DONE:
                return state
            self._done[folder] = state
        return self._done[folder]

    def _read(self, folder: Path) -> State:
        found = log.read_attempts(folder)
        number, counted = found[-1].number if found else 0, log.since_forgiven(found)
        if not counted:
            return State(WAITING, number=number)
        *earlier, last = counted
        deaths = sum(seen.state in (log.RUNNING, log.DIED) for seen in earlier)
        name = last.state
        if name == log.DIED:
            name, deaths = log.RELEASED, deaths + 1
        if name == log.RUNNING and self._watch.is_dead(folder, last):
            name, deaths = log.RELEASED, deaths + 1
        if name == log.RELEASED:
            name = WAITING if deaths < DEATHS else DIED
        return State(name, last.attempt, deaths, number)


class Watch:
    """Tells dead owners by their silence, with the watcher's own clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[Path, tuple[object, float, float]] = {}

    def is_dead(self, folder: Path, seen: Seen) -> bool:
        """Whether the owner of a running attempt is dead, as far as can be told by now."""
        alive = is_alive(seen.attempt.owner) if seen.attempt else None
        if alive is not None:
            return not alive
        lease = seen.attempt.lease if seen.attempt else LEASE
        what, at = (seen.number, seen.stamp), self._clock()
        before, looked, silent = self._seen.get(folder, (None, at, 0.0))
        # a watcher that could not look itself (a server that hung) counts no more than two beats
        silent = silent + min(at - looked, 2 * _beat(lease)) if before == what else 0.0
        self._seen[folder] = (what, at, silent)
        return silent >= lease


class Claim:
    """A claimed job; whoever has it ends it by ``done``, ``failed`` or ``release``.

    Until then a thread shows signs of life. ``lost`` is set if, after too long a silence (a
    suspended process, a server that hung), another worker has taken the job: leave it alone then.

    Attributes:
        job: What is to be run.
        lost: An event.
    """

    def __init__(self, job: Job, folder: Path, number: int, attempt: Attempt) -> None:
        self.job, self.lost = job, threading.Event()
        self._folder, self._number, self._attempt = folder, number, attempt
        self._begun, self._ended = time.monotonic(), threading.Event()
        self._thread = threading.Thread(target=self._live, name=f"claim {job.name}", daemon=True)
        self._thread.start()

    @property
    def owner(self) -> Process:
        """The process that made the claim."""
        return self._attempt.owner

    def done(self) -> None:
        """All runs of the job have completed."""
        self._end(log.DONE)

    def failed(self, reason: str) -> None:
        """A run of the job has failed; the next ``npt sweep`` repeats it, this one does not."""
        self._end(log.FAILED, reason=reason)

    def died(self, reason: str) -> None:
        """Its process was killed or has crashed; it is tried again, but not after two deaths."""
        self._end(log.DIED, reason=reason)

    def release(self) -> None:
        """Give the job back unfinished, at once and without blame: a stop, a preemption."""
        self._end(log.RELEASED)

    def _end(self, state: str, reason: str = "") -> None:
        with shielded():  # an end cut short would be a death
            self._ended.set()
            self._thread.join()
            seconds = round(time.monotonic() - self._begun, 3)
            more = {"reason": reason, "seconds": seconds}
            log.end_attempt(self._folder, self._number, self._attempt, state, **more)

    def _live(self) -> None:
        path, after = (log.attempt_file(self._folder, self._number + n) for n in (0, 1))
        while not self._ended.wait(_beat(self._attempt.lease)):
            with suppress(OSError):  # a server that is away for a moment
                os.utime(path)
                if after.exists():
                    self.lost.set()
                    return


def _beat(lease: float) -> float:
    """Seconds between two signs of life."""
    return lease / 6
