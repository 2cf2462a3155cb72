"""One run at a time in an output folder: a lock file that does not outlive its process."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from npt_plugin.errors import UserError
from npt_plugin.system.files import write_json

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

LOCK = "run.lock"
"""File in a run's output folder while a process works in it."""


@contextmanager
def run_lock(folder: str | Path) -> Iterator[None]:
    """Hold the lock of an output folder; the lock of a dead process is taken over.

    Args:
        folder: ``OUTPUT_DIR``; empty: nothing is locked. Made if it is not there.

    Raises:
        UserError: If another living process works in the folder, or it cannot be written.
    """
    if not str(folder):
        yield
        return
    made = not Path(folder).exists()
    path = Path(folder) / LOCK
    with _alone(path):
        holder = _read(path)
        if holder is not None and _alive(holder):
            raise UserError(
                f"{folder} is in use by process {holder['pid']} on {holder['host']}: wait for it, "
                f"give another --output-dir, or delete {path} if that run is over."
            )
        me = _process(os.getpid())
        write_json(path, me)
    try:
        yield
    finally:
        if _read(path) == me:
            path.unlink(missing_ok=True)
        if made and not any(Path(folder).iterdir()):
            Path(folder).rmdir()  # the run stopped before it had anything to keep


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let one process at a time look at the lock file and write it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        guard = os.open(path.parent, os.O_RDONLY) if fcntl else None
    except OSError as error:
        raise UserError(
            f"Cannot write {path.parent}: {error.strerror or error}; give another --output-dir."
        ) from None
    try:
        if guard is not None:
            try:
                fcntl.flock(guard, fcntl.LOCK_EX)
            except OSError:
                pass  # a file system without locks: the lock file alone has to do
        yield
    finally:
        if guard is not None:
            os.close(guard)


def _process(pid: int) -> dict[str, Any]:
    """What tells this process from every other, also after a reboot or a change of the clock."""
    return {"pid": pid, "host": socket.gethostname(), "boot": _boot(), "start": _start(pid)}


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _start(pid: int) -> str:
    """Start of a process in ticks since boot; empty where the system does not say."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _read(path: Path) -> dict[str, Any] | None:
    """The holder, or None where the file is absent or not one of ours."""
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    known = isinstance(holder, dict) and type(holder.get("pid")) is int and holder["pid"] > 0
    return holder if known and isinstance(holder.get("host"), str) else None


def _alive(holder: dict[str, Any]) -> bool:
    if holder["host"] != socket.gethostname():
        return True  # another machine on the same disk: nobody here can tell
    if holder.get("boot") != _boot() or holder.get("start") != _start(holder["pid"]):
        return False
    try:
        os.kill(holder["pid"], 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
