"""What is said of one config key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Key:
    """One config key.

    Attributes:
        name: Full name, ``NODE.KEY``.
        default: Its default, which fixes its type; None: the key and its default are Dassl's.
        meaning: What it does and which values it takes, in a line.
        numbers: Whether it can change a run's numbers. Keys that only say where files lie, how
            fast a run goes or what it keeps do not: two runs that differ in them are one run.
        ours: Whether only our own training step acts on it. A wrapped host's step would ignore it,
            so there it is refused unless it has its default.
        path: Whether it names a file or folder, maybe relative to where the run was started.
        least: Smallest allowed value.
    """

    name: str
    default: Any
    meaning: str
    numbers: bool = True
    ours: bool = False
    path: bool = False
    least: float | None = None


def node(prefix: str, *rows: Key, ours: bool = False, numbers: bool = True) -> tuple[Key, ...]:
    """Rows of one node: their names under ``prefix``, ``ours`` and ``numbers`` for all of them."""
    named = (replace(row, name=f"{prefix}.{row.name}".lstrip(".")) for row in rows)
    return tuple(replace(row, ours=ours, numbers=numbers) for row in named)


PREC = "fp32, fp16, amp, bf16 or auto"
"""What every ``PREC`` takes."""
