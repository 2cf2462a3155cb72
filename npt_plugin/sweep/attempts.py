"""The attempts at one job: numbered files, each made once and by one process.

Creating a file that must not exist yet is atomic on local disks and on NFS alike, and nothing else
is relied on. An attempt belongs to who created it; whoever finds it dead creates the next number.
No file is ever taken away, so two that find the same dead attempt cannot both go on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from npt_plugin.errors import UserError
from npt_plugin.system.files import write_json
from npt_plugin.system.processes import Process

RUNNING, DONE, FAILED, RELEASED, FORGIVEN = "running", "done", "failed", "released", "forgiven"
DIED = "died"
"""What an attempt can be. ``released``: given back unfinished, on request; ``forgiven``: no attempt
but a mark that what failed or died before it counts no more; ``died``: its process was killed or
crashed, and its worker lived to say so."""


@dataclass(frozen=True)
class Attempt:
    """One attempt at a job, as its file says.

    Attributes:
        job: Name of the job.
        owner: The process.
        task: The engine's name for it, for example a Slurm array task; may be empty.
        started: By the owner's clock, for people.
        lease: Seconds after which an owner that has shown no sign of life counts as dead.
        state: One of the constants above.
        reason: Why it failed.
        seconds: What it took, where it ended.
    """

    job: str
    owner: Process
    task: str = ""
    started: str = ""
    lease: float = 60.0
    state: str = RUNNING
    reason: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Seen:
    """An attempt's file as it was found.

    Attributes:
        number: From 1.
        attempt: What it says; None while its owner has not written it yet, or died before.
        stamp: Changes with every sign of life of the owner.
    """

    number: int
    attempt: Attempt | None
    stamp: tuple[int, int]

    @property
    def state(self) -> str:
        """The attempt's; one not yet written runs."""
        return self.attempt.state if self.attempt else RUNNING


def attempt_file(folder: Path, number: int) -> Path:
    """The file of one attempt in a job's folder."""
    return folder / f"{number:04}.json"


def read_attempts(folder: Path) -> list[Seen]:
    """All attempts at a job, in order; none where nobody has tried."""
    try:
        names = sorted(name for name in os.listdir(folder) if name[:1].isdigit())
    except FileNotFoundError:
        return []
    return [_seen(folder / name) for name in names]


def create_attempt(folder: Path, number: int, attempt: Attempt) -> bool:
    """Make the file of an attempt; False if another process has made it first.

    Raises:
        UserError: If the folder cannot be written.
    """
    path = attempt_file(folder, number)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except FileExistsError:
        return False
    except OSError as error:
        raise UserError(f"Cannot write {path}: {error.strerror or error}.") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(attempt), file)
    return True


def end_attempt(folder: Path, number: int, attempt: Attempt, state: str, **more: Any) -> None:
    """Write how an attempt ended; only its owner does, or who knows that the owner is gone."""
    write_json(attempt_file(folder, number), asdict(replace(attempt, state=state, **more)))


def since_forgiven(attempts: Sequence[Seen]) -> list[Seen]:
    """The attempts that count: those after the last mark."""
    marks = [place for place, seen in enumerate(attempts) if seen.state == FORGIVEN]
    return list(attempts[marks[-1] + 1 :] if marks else attempts)


def now() -> str:
    """The time for people, such as ``2026-01-31T12:00:00Z``."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _seen(path: Path) -> Seen:
    """Read through an open file: NFS then asks the server instead of its cache."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text, status = file.read(), os.fstat(file.fileno())
    except OSError:  # replaced by its owner in this instant: another sign of life
        return Seen(int(path.stem), None, (0, 0))
    return Seen(int(path.stem), _parsed(text), (status.st_ino, status.st_mtime_ns))


def _parsed(text: str) -> Attempt | None:
    try:
        held = json.loads(text)
        return Attempt(**{**held, "owner": Process(**held["owner"])})
    except (ValueError, TypeError, KeyError):
        return None
