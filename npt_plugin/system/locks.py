"""One run at a time in an output folder, by a lock that ends with its process."""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from npt_plugin.errors import UserError

LOCK = "run.lock"
"""File in a run's output folder while a process works in it; it says which."""

_NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK)


@contextmanager
def run_lock(folder: str | Path, remedy: str = "give another --output-dir") -> Iterator[None]:
    """Hold the lock of an output folder; what a killed run has left there is no obstacle.

    Args:
        folder: ``OUTPUT_DIR``; empty: nothing is locked. Made if it is not there.
        remedy: What a user can do instead of waiting.

    Raises:
        UserError: If another process works in the folder, or it cannot be written.
    """
    if not str(folder):
        yield
        return
    folder = Path(folder)
    made = not folder.exists()
    path = folder / LOCK
    lock = FileLock(path, fallback_to_soft=False)
    _acquire(lock, folder, remedy)
    try:
        with suppress(OSError):  # Windows lets nobody write a locked file
            path.write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
        yield
    finally:
        with suppress(OSError):  # while it is locked: who comes next makes a new one
            path.unlink()
        lock.release()
        if made and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()  # the run stopped before it had anything to keep


def wait_until_free(folder: str | Path, seconds: float) -> None:
    """Let a process that is about to end in an output folder end.

    Args:
        folder: As for :func:`run_lock`.
        seconds: Wait no longer; who comes after is then told who works there.
    """
    path = Path(folder) / LOCK
    if not path.exists():
        return
    lock = FileLock(path, fallback_to_soft=False)
    with suppress(Timeout, OSError):
        lock.acquire(timeout=seconds)
        with suppress(OSError):
            path.unlink()
        lock.release()


def _acquire(lock: FileLock, folder: Path, remedy: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout:
        raise UserError(
            f"{folder} is in use by {_holder(folder / LOCK)}: wait for it, or {remedy}."
        ) from None
    except OSError as error:
        if error.errno in _NO_LOCKS:
            print(f"{folder} cannot be locked: start no second run in it.", file=sys.stderr)
            return
        raise UserError(f"Cannot write {folder}: {error.strerror or error}; {remedy}.") from None


def _holder(path: Path) -> str:
    """Who wrote the lock file, as far as it can be read."""
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        return f"process {int(holder['pid'])} on {holder['host']}"
    except (OSError, ValueError, TypeError, LookupError):
        return "another process"
