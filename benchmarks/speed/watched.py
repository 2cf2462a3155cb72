"""A command that is watched from outside: seconds, processor seconds, most memory of all of it."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_TICK = 0.1


@dataclass(frozen=True)
class Watched:
    """What a command took.

    Attributes:
        wall: Seconds.
        processor: Processor seconds of the command and all that came from it.
        memory: Most MiB at a time of all its processes together; what several of them share counts
            once (proportional set size).
        code: Exit code.
    """

    wall: float
    processor: float
    memory: float
    code: int


def watch(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], memory: bool = False
) -> Watched:
    """Run a command to its end.

    Args:
        command: Its words.
        folder: Where.
        environment: Added to this process's.
        memory: Whether memory is looked at, which takes time of the processes itself.
    """
    began, peak = time.perf_counter(), [0.0]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    ended = threading.Event()

    def sample() -> None:
        while not ended.wait(_TICK):
            peak[0] = max(peak[0], sum(map(_mib, [process.pid, *below(process.pid)])))

    thread = threading.Thread(target=sample)
    if memory:
        thread.start()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = code = os.waitstatus_to_exitcode(status)
    ended.set()
    if memory:
        thread.join()
    seconds = used.ru_utime + used.ru_stime
    return Watched(round(wall, 2), round(seconds, 2), round(peak[0], 1), code)


def below(pid: int) -> list[int]:
    """Numbers of all processes that come from one."""
    found = []
    for task in (PROC / str(pid) / "task").glob("*"):
        try:
            numbers = (task / "children").read_text(encoding="ascii").split()
        except OSError:
            continue
        for number in map(int, numbers):
            found += [number, *below(number)]
    return found


def _mib(pid: int) -> float:
    try:
        text = (PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0.0
    line = next((line for line in text.splitlines() if line.startswith("Pss:")), "Pss: 0 kB")
    return int(line.split()[1]) / 1024
