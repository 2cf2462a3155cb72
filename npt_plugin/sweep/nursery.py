"""Servers for the workers of this process, forked from one that has everything loaded.

Imports take seconds and hundreds of MiB. One process does them for all workers, or goes on from
those of the command that is starting, and forks a server when a worker asks for one. Nothing is
imported here that takes long, so that a command can send for it first of all.
"""

from __future__ import annotations

import atexit
import json
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from npt_plugin.sweep.loading_process import LoadingProcess, forked, started

FORKS = hasattr(os, "fork") and sys.platform != "darwin"
"""Whether one process may fork others after it has loaded PyTorch; Apple's libraries do not allow
it, and Windows has no such thing. There each run imports everything anew."""

MODULE = "npt_plugin.sweep.server"
"""What the process runs."""

ALONE = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Environment of a run that is not alone on its machine: one core."""

_NVML = {"PYTORCH_NVML_BASED_CUDA_CHECK": "1"}
"""So that asking for devices does not start CUDA, which a forked process could not use."""

_OWN = ("CUDA_VISIBLE_DEVICES",)
"""Variables that a server may have otherwise than the process it is forked from."""

_READ_EARLY = ("NPT_", "OMP_", "MKL_", "MALLOC_", "PYTHON")
"""What variables begin with that count when everything is loaded, should one be set meanwhile.
Others that have come since were set by libraries as they were imported here, and will be there."""

MESSAGE = 2**16
"""Bytes of a message: the variables that a server has of its own, or its number."""


@dataclass
class Served:
    """A server.

    Attributes:
        pid: Its number.
        stdin: Takes tasks.
        stdout: Gives answers; it ends when the server has.
    """

    pid: int
    stdin: BinaryIO
    stdout: BinaryIO

    def signal(self, number: int) -> None:
        """Send a signal; one that has ended gets none."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def close(self) -> None:
        """Nothing more comes: wait until it has ended."""
        with suppress(BrokenPipeError):
            self.stdin.close()
        self.stdout.read()
        self.stdout.close()


class Failed(Exception):
    """The process could not load everything; says what it said, and its exit code."""

    def __init__(self, said: str, code: int) -> None:
        super().__init__(said)
        self.code = code


class Nursery:
    """The process that forks servers, started when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: LoadingProcess | None = None
        self._environment: dict[str, str] = {}
        self._living = 0

    def expect(self, environment: Mapping[str, str]) -> None:
        """Begin to load what servers with this environment need, if that has not begun.

        A command that comes here first of all loads PyTorch and our modules once for both.
        """
        with self._lock:
            self._start(_common(environment), fork="torch" not in sys.modules)

    def server(self, environment: Mapping[str, str], output: BinaryIO) -> Served:
        """Fork a server.

        Args:
            environment: All of its variables.
            output: File that it and its runs print to.

        Raises:
            Failed: If what it needs cannot be loaded.
        """
        tasks, answers = os.pipe(), os.pipe()
        ends = [tasks[0], answers[1], output.fileno()]
        try:
            with self._lock:
                self._start(_common(environment))
                own = dict(environment.items() - self._environment.items())
                pid = self._ask(json.dumps(own).encode(), ends)
                self._living += 1
        except BaseException:
            os.close(tasks[1])
            os.close(answers[0])
            raise
        finally:
            os.close(tasks[0])
            os.close(answers[1])
        return Served(pid, os.fdopen(tasks[1], "wb"), os.fdopen(answers[0], "rb", buffering=0))

    def ended(self) -> None:
        """A server has ended; after the last one the memory is given back."""
        with self._lock:
            self._living -= 1
            if not self._living:
                self._end(at_once=False)

    def close(self) -> None:
        """End the process; servers go on to their end."""
        with self._lock:
            self._end()

    def _start(self, common: dict[str, str], fork: bool = False) -> None:
        running = self._process is not None and self._process.poll() is None
        if running and _serves(self._environment, common):
            return
        self._end()
        self._environment = common
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._said = tempfile.TemporaryFile()
        with theirs:
            begin = forked if fork else started
            ends = theirs.fileno(), self._said.fileno()
            self._process = begin(MODULE, {**common, **_NVML}, *ends)

    def _ask(self, message: bytes, ends: list[int]) -> int:
        with suppress(OSError):  # it is gone
            socket.send_fds(self._channel, [message], ends)
            if answer := self._channel.recv(MESSAGE):
                return int(answer)
        process = self._process
        assert process is not None
        code = process.wait()
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        self._end()
        raise Failed((lines or ["no output"])[-1], code or 1)

    def _end(self, at_once: bool = True) -> None:
        process, self._process = self._process, None
        if process is not None:
            self._channel.close()
            self._said.close()
            if at_once:
                process.kill()
            process.wait()


def _common(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name not in _OWN}


def _serves(loaded: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Whether what was loaded with one environment serves another."""
    added = wanted.keys() - loaded.keys()
    same = all(wanted.get(name) == value for name, value in loaded.items())
    return same and not any(name.startswith(_READ_EARLY) for name in added)


OURS = Nursery()
"""Of all workers of this process."""

atexit.register(OURS.close)


def expect_runs() -> None:
    """Begin to load what runs need, for a command that will start several: one core each."""
    if FORKS:
        OURS.expect({**os.environ, **(ALONE if (os.cpu_count() or 1) > 1 else {})})
