"""A worker's hand: carries out one task after another in processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from select import select
from typing import BinaryIO

from npt_plugin.sweep import nursery
from npt_plugin.sweep.nursery import FORKS, Failed, Served
from npt_plugin.sweep.task import Task
from npt_plugin.system.signals import NUMBERS

if sys.platform != "win32":
    import fcntl

_TICK = 0.2
"""Seconds between two looks at whether to stop."""

_SIGNALLED = {128 + n for n in NUMBERS} | {-n for n in NUMBERS}
"""Exit codes of a run that was asked to end, and of one that had not yet learned to listen."""

_ALL_OF_US = 2.0
"""Seconds in which a signal that was sent to all processes has reached all of them."""

_TASK = "npt_plugin.sweep.task"
"""What a process of a single task runs, where nothing can be forked."""


@dataclass(frozen=True)
class Outcome:
    """How a task ended.

    Attributes:
        state: ``done``, ``failed`` (its own fault), ``died`` (killed, out of memory, a crash of the
            interpreter) or ``stopped`` (asked to).
        said: Its last line.
        code: Exit code; of what was killed, minus the signal's number.
    """

    state: str
    said: str = ""
    code: int = 0

    @property
    def cause(self) -> str:
        """Which signal ended it, or which exit code it had."""
        return signal.Signals(-self.code).name if self.code < 0 else f"exit code {self.code}"


class Runner:
    """Runs tasks, one at a time.

    Args:
        environment: Added to this process's for the runs.
        forks: See ``FORKS``.
    """

    def __init__(self, environment: Mapping[str, str] | None = None, forks: bool = FORKS) -> None:
        self.environment = {**os.environ, **(environment or {})}
        self.forks = forks
        self.process: subprocess.Popen[bytes] | Served | None = None
        self.output = _open_output()

    def run(self, task: Task, stop: Callable[[], bool]) -> Outcome:
        """Carry out a task to its end.

        Args:
            task: The task.
            stop: Asked several times a second; once it says yes the run finishes its step and ends.
        """
        self.output.truncate(0)
        asked, code = False, None
        try:
            process = self._ready()
        except Failed as error:
            return Outcome("died" if error.code < 0 else "failed", str(error), error.code)
        assert process.stdin is not None
        try:
            process.stdin.write(task.as_json().encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            pass  # it is dead: its exit code says more
        while code is None:
            if not asked and stop():
                asked = True
                self._signal(signal.SIGTERM)
            code = self._answer(process)
        said = self._last_line()
        if asked:
            self.close()  # a server that was told to stop takes nothing new
        if code == 0:
            return Outcome("done")
        if asked or (code in _SIGNALLED and self._is_stopping(stop)):
            return Outcome("stopped", said, code)
        killed = code < 0 or code > 128
        return Outcome("died" if killed else "failed", said, code)

    def _is_stopping(self, stop: Callable[[], bool]) -> bool:
        """Whether a signal that ended a run was meant for all of us: clusters signal every process.

        If not, its server, which takes nothing new after a signal, is replaced.
        """
        until = time.monotonic() + _ALL_OF_US
        while not stop():
            if time.monotonic() > until:
                self.close()
                return False
            time.sleep(_TICK)
        return True

    def _ready(self) -> subprocess.Popen[bytes] | Served:
        """The process that takes the next task."""
        if self.process is None and self.forks:
            self.process = nursery.OURS.server(self.environment, self.output)
        elif self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, "-m", _TASK],
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=self.output,
                stderr=self.output,
            )
        return self.process

    def _answer(self, process: subprocess.Popen[bytes] | Served) -> int | None:
        """The exit code of the task; None while it runs."""
        if not isinstance(process, Served):
            try:
                code = process.wait(_TICK)
            except subprocess.TimeoutExpired:
                return None
            self.close()
            return code
        if not select([process.stdout], [], [], _TICK)[0]:
            return None
        if line := process.stdout.readline():
            return int(line)
        self.close()  # the server itself is gone, and its child with it: nothing else ends it so
        return -signal.SIGKILL

    def _signal(self, number: int) -> None:
        if isinstance(self.process, Served):
            self.process.signal(number)
        elif self.process is not None:
            self.process.send_signal(number)

    def _last_line(self) -> str:
        self.output.seek(0)
        lines = self.output.read().decode(errors="replace").strip().splitlines()
        return (lines or ["no output"])[-1].removeprefix("error: ")

    def close(self) -> None:
        """End the process; a task that still runs finishes its step."""
        process, self.process = self.process, None
        if isinstance(process, Served):
            process.close()
            nursery.OURS.ended()
        elif process is not None:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()


def _open_output() -> BinaryIO:
    """A file for what processes print; each writes at its end, wherever that is by then."""
    file: BinaryIO = tempfile.TemporaryFile("ab+", buffering=0)
    if sys.platform != "win32":
        fcntl.fcntl(file, fcntl.F_SETFL, fcntl.fcntl(file, fcntl.F_GETFL) | os.O_APPEND)
    return file
