"""Who this process is, and whether another one, named so earlier, is still there."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Process:
    """One process, told apart from a later one that has the same number.

    Attributes:
        host: Name of its machine.
        pid: Its number there.
        space: Boot of the machine and its space of process numbers (containers have their own);
            empty where the system does not say.
        start: When it started, in the kernel's ticks; empty where the system does not say.
    """

    host: str
    pid: int
    space: str = ""
    start: str = ""


def this_process() -> Process:
    """The process that asks."""
    pid = os.getpid()
    return Process(socket.gethostname(), pid, _space(), _start(pid))


def is_alive(process: Process) -> bool | None:
    """Whether a process is still there; None where that cannot be known from here.

    Only a process of this boot, in this space of process numbers, can be looked for.
    """
    if not process.start or process.space != _space():
        return None
    if start := _start(process.pid):
        return start == process.start
    try:
        os.kill(process.pid, 0)  # only asks
    except ProcessLookupError:
        return False
    except OSError:  # another user's, hidden from us
        return None
    return False  # a zombie, or gone and come in between


def die_with(parent: int) -> None:
    """Let the kernel kill this process as soon as its parent is gone; Linux only.

    Args:
        parent: Its number, which may be gone already.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def _space() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink(_PROC / 'self/ns/pid')}"
    except OSError:
        return ""


def _start(pid: int) -> str:
    """The start of a process; empty if it is gone, or was killed and nobody has asked for its end.

    Its name stands in brackets in the file and may hold anything, so fields count from the last.
    """
    try:
        fields = (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
