"""The processes of one run: who takes part, who writes, and how all of them end together.

``torchrun`` starts N processes and tells each in its environment who it is; they join in
``engine/distributed.py``. In a run of one process everything here answers at once.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from npt_plugin.errors import UserError, excerpt

PATIENCE = timedelta(minutes=10)
"""How long a process waits for the others, to come at the start or to answer later."""

_TOLD = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
_END = "npt_end"
"""Key in the store under which the first process that fails says why."""

_WORD = timedelta(seconds=5)
"""How long its sentence may take to come: it is said before the process is gone."""


class Lost(Exception):
    """Another process of the run has ended; the message is what it said.

    Attributes:
        code: Its exit code.
    """

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass
class _Group:
    size: int = 1
    rank: int = 0
    store: Any = None  # a key-value store of torch.distributed that outlives single processes
    ending: bool = False  # another process has ended, so this one is about to


_GROUP = _Group()


def belong(size: int = 1, rank: int = 0, store: Any = None) -> None:
    """Say what this process belongs to; without arguments: to no group.

    Args:
        size: Number of processes.
        rank: Which of them this is, from 0.
        store: Where they leave words for each other.
    """
    _GROUP.size, _GROUP.rank, _GROUP.store, _GROUP.ending = size, rank, store, False


def size() -> int:
    """How many processes take part."""
    return _GROUP.size


def rank() -> int:
    """Which of them this is, from 0."""
    return _GROUP.rank


def alone() -> bool:
    """Whether this is a run of one process."""
    return _GROUP.size == 1


def ending() -> bool:
    """Whether this process has learned that another one is lost, and only writes its record yet.

    torchrun then sends SIGTERM to those who are left. It has nothing to tell them, and must not
    come between the record and its reason.
    """
    return _GROUP.ending


def writes() -> bool:
    """Whether this process writes the run's files and speaks: the first one does."""
    return _GROUP.rank == 0


def shares(total: int) -> list[int]:
    """How many of ``total`` rows each process takes, in order: as equal as can be.

    Example:
        >>> belong(size=3)
        >>> shares(7)
        [3, 2, 2]
        >>> belong()
    """
    each, more = divmod(total, _GROUP.size)
    return [each + (number < more) for number in range(_GROUP.size)]


def share(total: int) -> slice:
    """The rows of this process; one at least: where there are fewer than processes, some look at
    the first row and their result does not count.
    """
    counts = shares(total)
    start = sum(counts[: _GROUP.rank])
    own = counts[_GROUP.rank]
    return slice(start, start + own) if own else slice(0, 1)


def launched() -> tuple[int, int] | None:
    """Rank and number of processes as a launcher has put them into the environment.

    Returns:
        None where this process works alone.

    Raises:
        UserError: If the values are no numbers.
    """
    if os.environ.get("WORLD_SIZE", "1") == "1" or half_launched():
        return None
    given = {name: os.environ[name] for name in _TOLD if name != "MASTER_ADDR"}
    if not all(value.isdecimal() for value in given.values()):
        said = ", ".join(f"{name} {value!r}" for name, value in given.items())
        raise UserError(f"The environment has {said}, not all of them numbers: use torchrun.")
    return int(given["RANK"]), int(given["WORLD_SIZE"])


def half_launched() -> str:
    """What to say where something has set ``WORLD_SIZE`` without the rest; empty elsewhere."""
    number = os.environ.get("WORLD_SIZE", "1")
    lacking = [name for name in _TOLD if not os.environ.get(name)]
    if number == "1" or not lacking:
        return ""
    return (
        f"WORLD_SIZE is {number}, but without {', '.join(lacking)}: this process works alone "
        "(torchrun starts several that work together)"
    )


def refuse_unjoined() -> None:
    """Refuse to do N times over what N processes were started to do together.

    Raises:
        UserError: If a launcher has started several processes and this command takes no part.
    """
    told = launched() if alone() else None
    if told:
        raise UserError(
            f"WORLD_SIZE is {told[1]}, so this is one of several processes, but only npt train, "
            "npt eval and our train.py share a run: start this once, without torchrun, or unset "
            "WORLD_SIZE."
        )


def first_to_end(sentence: str, code: int) -> tuple[bool, int]:
    """Tell the others that this process ends badly, and why.

    Returns:
        Whether it is the first, and so the one to speak; and the first one's exit code.
    """
    if _GROUP.store is None:
        return True, code
    own = json.dumps({"rank": _GROUP.rank, "sentence": sentence, "code": code})
    try:
        first = json.loads(_GROUP.store.compare_set(_END, "", own))
    except RuntimeError:  # the store is gone with the process that held it
        return True, code
    return first["rank"] == _GROUP.rank, first["code"]


def lost(error: Exception) -> Lost:
    """What a failed word between processes means: the sentence of the one that has ended.

    Args:
        error: What ``torch.distributed`` raised.
    """
    _GROUP.ending = True
    try:
        _GROUP.store.wait([_END], _WORD)
        first = json.loads(_GROUP.store.get(_END))
        return Lost(first["sentence"], first["code"])
    except RuntimeError:  # nobody said anything: killed, or stuck
        return Lost(
            "Another process of this run was killed, or did not answer for "
            f"{spoken(PATIENCE)} ({first_line(error)}): the same command goes on from the last "
            "whole epoch.",
            1,
        )


def spoken(time: timedelta) -> str:
    """A time for a sentence."""
    seconds = round(time.total_seconds())
    return f"{seconds // 60} minutes" if seconds >= 120 else f"{seconds} seconds"


def first_line(error: Exception) -> str:
    """The beginning of an error's message, or its type."""
    return excerpt((str(error).splitlines() or [type(error).__name__])[0], 120)
