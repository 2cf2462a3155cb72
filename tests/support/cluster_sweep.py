"""One sweep of 24 short jobs, run by any engine into any folder, and what must come of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

from npt_plugin.runs.collect import find_runs
from npt_plugin.sweep.attempts import DONE, read_attempts
from npt_plugin.sweep.claims import Claims
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.plan import plans_below, read_plan
from npt_plugin.sweep.status import status_of

REPOSITORY = Path(__file__).resolve().parents[2]
PATH = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "third_party")])
ENVIRONMENT = {"PYTHONPATH": PATH, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
JOBS = 24


class Sweep:
    """A command.

    Args:
        words: Of ``npt sweep``, less engine and output.
        output: Top folder of the runs.
    """

    def __init__(self, words: list[str], output: Path) -> None:
        self.words, self.output = words, output

    def start(self, *more: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """The command, in a session of its own: what kills it does not kill what it started."""
        words = [sys.executable, "-m", "npt_plugin", "sweep", *self.words, *more]
        return subprocess.Popen(
            [*words, "--output", str(self.output)],
            env={**(env or os.environ), **ENVIRONMENT},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *more: str, env: Mapping[str, str] | None = None) -> str:
        """The same, to its end; returns what it printed."""
        process = self.start(*more, env=env)
        try:
            said, _ = process.communicate(timeout=200)
        finally:
            process.kill()
        assert process.returncode == 0, said
        return said

    def jobs(self) -> tuple[Job, ...]:
        """As the plan on disk has them."""
        return read_plan(plans_below(self.output)[0]).jobs

    def counts(self) -> tuple[int, int]:
        """Jobs that are done, and jobs that run or wait."""
        if not plans_below(self.output):
            return 0, JOBS
        status = status_of(self.jobs(), Claims(self.output))
        assert not status.failed, status.failed
        return len(status.done), len(status.running) + len(status.waiting)

    def running(self) -> dict[Job, int]:
        """Jobs that run now, and the process of each one's worker."""
        found = status_of(self.jobs(), Claims(self.output)).running
        return {job: attempt.owner.pid for job, attempt in found if attempt}

    def kill_worker(self) -> None:
        """Kill one that has a job."""
        wait_until(self.running, 60, self.counts)
        kill(next(iter(self.running().values())))

    @contextmanager
    def held(self) -> Iterator[set[int]]:
        """No run goes on, nor one that begins meanwhile: however fast the machine, some are left.

        Yields:
            The processes that stand still. What a worker loads first is none of them.
        """
        found, over = set[int](), Event()

        def hold() -> None:
            while not over.wait(0.05):
                for owner in set(self.running().values()):
                    for loader in children(owner):
                        for number in descendants(loader):
                            kill(number, signal.SIGSTOP)
                            found.add(number)

        with ThreadPoolExecutor(1) as thread:
            holding = thread.submit(hold)
            try:
                yield found
            finally:
                over.set()
                holding.result()
                for number in found:
                    kill(number, signal.SIGCONT)

    def healed(self) -> bool:
        """Whether every job whose worker has died is done.

        To be waited for before the next kill: a job that is hit twice is rightly left.
        """
        self.counts()
        claims = Claims(self.output)
        return all(job.done() for job in self.jobs() if claims.state(job).deaths)

    def numbers(self) -> tuple[dict[Any, Any], list[str]]:
        """Every number of every run, by its place; and the table."""
        found = find_runs(self.output)
        assert not found.unfinished
        runs = {
            run.place: (run.metrics, run.record.per_class, run.record.history)
            for run in found.completed
        }
        words = [sys.executable, "-m", "npt_plugin", "report", str(self.output)]
        said = subprocess.run(
            words, capture_output=True, text=True, check=True, env={**os.environ, **ENVIRONMENT}
        )
        return runs, [line for line in said.stdout.splitlines() if line.startswith("|")]

    def check(self, reference: tuple[dict[Any, Any], list[str]]) -> None:
        """The numbers of the local engine, to the last digit; each job was done once, not twice."""
        assert self.numbers() == reference
        claims = Claims(self.output)
        done = Counter(
            [seen.state for seen in read_attempts(claims._of(job))].count(DONE)
            for job in self.jobs()
        )
        assert done == {1: JOBS}
        made = dict[Path, int]()
        for record in self.output.rglob("results.json"):
            logs = [log.read_text() for log in record.parent.glob("log.txt*")]  # one a start
            made[record.parent] = sum("Results written to" in log for log in logs)
        assert not [place for place, times in made.items() if times > 1]
        assert sum(made.values()) > len(made) / 2  # few are killed before that line is out


def kill(number: int, how: int = signal.SIGKILL) -> None:
    """Send a signal, also to what is gone already."""
    try:
        os.kill(number, how)
    except ProcessLookupError:
        pass


def children(number: int) -> list[int]:
    """The processes that a process has started; none if it is gone."""
    try:
        tasks = [task.read_text() for task in Path(f"/proc/{number}/task").glob("*/children")]
    except OSError:
        return []
    return [int(child) for said in tasks for child in said.split()]


def descendants(number: int) -> list[int]:
    """The processes that a process has started, and those that they have."""
    found = []
    for child in children(number):
        found += [child, *descendants(child)]
    return found


def told_to_end(number: int) -> bool:
    """Whether a process that stands still will find a SIGTERM when it goes on."""
    try:
        said = Path(f"/proc/{number}/status").read_text()
    except OSError:
        return False
    pending = [int(line.split()[1], 16) for line in said.splitlines() if "Pnd:" in line]
    return any(mask >> (signal.SIGTERM - 1) & 1 for mask in pending)


def wait_until(holds: Callable[[], object], seconds: float, what: Callable[[], object]) -> None:
    """Wait for something to hold.

    Raises:
        TimeoutError: If it does not in time.
    """
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            raise TimeoutError(f"waited {seconds:g} s; now: {what()}")
        time.sleep(0.2)
