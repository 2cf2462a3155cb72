"""How a process begins that loads everything: from nothing, or from one that has loaded the most.

Two processes that import PyTorch beside each other take two cores for the seconds one needs alone.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

if sys.platform != "win32":
    import fcntl

_MOST_FILES = 2**16
"""Open files of the parent that a child looks for; the limit of a process may be a billion."""


class ForkedProcess:
    """A child of this process, with as much of ``subprocess.Popen`` as is asked of it.

    Attributes:
        pid: Its number.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        """Its exit code, minus the signal's number if one has ended it; None while it runs."""
        return self._ended(os.WNOHANG)

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        code = self._ended(0)
        assert code is not None
        return code

    def kill(self) -> None:
        """End it, if it has not."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def _ended(self, how: int) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, how)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code


LoadingProcess: TypeAlias = "subprocess.Popen[bytes] | ForkedProcess"


def started(module: str, variables: Mapping[str, str], asked: int, said: int) -> LoadingProcess:
    """Run a module from nothing, beside what this process does meanwhile.

    Args:
        module: Its name; it is run as a script.
        variables: All of its environment.
        asked: File descriptor of its standard input.
        said: Of what it prints.
    """
    command = [sys.executable, "-m", module]
    return subprocess.Popen(command, env=variables, stdin=asked, stdout=said, stderr=said)


def forked(module: str, variables: Mapping[str, str], asked: int, said: int) -> LoadingProcess:
    """Import a module here, and run its ``main()`` in a child of this process.

    For a process that has no threads and will need most of what the module imports. Its own
    environment is afterwards what it was, but for what libraries have set as they were imported.

    Args:
        module: Its name.
        variables: The environment in which it is imported and run.
        asked: File descriptor of its standard input.
        said: Of what it prints.
    """
    gc.disable()  # of what imports make nearly all stays: looking for the rest takes long
    try:
        with _environment(variables):
            main = importlib.import_module(module).main
            gc.freeze()
            pid = _child(main, asked, said)
    finally:
        gc.enable()
    return ForkedProcess(pid)


def _child(main: Callable[[], object], asked: int, said: int) -> int:
    if pid := os.fork():
        return pid
    try:
        _take_over(asked, said)
        main()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)  # a main that ends well exits itself


def _take_over(asked: int, said: int) -> None:
    """Make these the standard files, as in a new process, and leave all others to the parent."""
    asked, said = (fcntl.fcntl(end, fcntl.F_DUPFD, 3) for end in (asked, said))
    for standard, end in enumerate((asked, said, said)):
        os.dup2(end, standard)
    os.closerange(3, min(os.sysconf("SC_OPEN_MAX"), _MOST_FILES))
    sys.stdin = open(0, closefd=False)  # the parent's may be a terminal's, or closed
    sys.stdout, sys.stderr = (open(end, "w", buffering=1, closefd=False) for end in (1, 2))


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Have these variables and no others; afterwards the former ones, and what has come since."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    try:
        yield
    finally:
        come = {name: value for name, value in os.environ.items() if name not in variables}
        os.environ.clear()
        os.environ.update({**before, **come})
