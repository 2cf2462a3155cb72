"""Find the completed base-to-new runs below a folder, base and new half together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from npt_plugin.errors import UserError
from npt_plugin.runs.record import RESULTS, read_record
from npt_plugin.sweep.job import BASE, NEW

AVERAGE = "average"
"""In place of a dataset: the mean over all of them."""


@dataclass(frozen=True, order=True)
class Key:
    """What a row stands for; seeds are averaged within it."""

    ratio: float
    dataset: str
    trainer: str
    config: str
    shots: int = 16


@dataclass(frozen=True)
class Pair:
    """One seed of one row.

    Attributes:
        key: The row.
        seed: The seed.
        base: Record of training and of the test on base classes.
        new: Record of the test on new classes.
        folder: Output folder of the base half.
    """

    key: Key
    seed: int
    base: dict[str, Any]
    new: dict[str, Any]
    folder: Path


def find_pairs(output: Path) -> list[Pair]:
    """Every completed pair below ``output``.

    Raises:
        UserError: If there is none, or a record is damaged.
    """
    pairs, top = [], output / "base2new"
    for path in sorted((top / BASE).rglob(RESULTS)):
        inside = path.relative_to(top / BASE)
        other = top / NEW / inside
        if not other.is_file() or len(inside.parts) != 7:
            continue
        base, new = read_record(path), read_record(other)
        if base["status"] != "completed" or new["status"] != "completed":
            continue
        # <dataset>/shots_16/ratio_0.06/<trainer>/<config>/seed1/results.json
        dataset, _, _, trainer, config, *_ = inside.parts
        key = Key(base["ratio"], dataset, trainer, config, base["shots"])
        pairs.append(Pair(key, base["seed"], base, new, path.parent))
    if not pairs:
        raise UserError(f"{output} holds no completed base-to-new run: train some first.")
    return pairs


def unfinished(output: Path) -> list[str]:
    """One line for each run below ``output`` that failed or never ended."""
    lines, top = [], output / "base2new"
    for path in sorted(top.rglob(RESULTS)) if top.is_dir() else []:
        record = read_record(path)
        if record["status"] != "completed":
            reason = record.get("reason", "it was killed, or is still running")
            lines.append(f"{path.parent.relative_to(top)}: {record['status']}, {reason}")
    return lines


def ranked(keys: Sequence[Key]) -> list[Key]:
    """Datasets by name, averages last; the zero-shot reference first, then base before NPT."""
    reference = {"ZeroshotCLIP": 0}
    return sorted(
        keys,
        key=lambda k: (
            *(k.dataset == AVERAGE, k.dataset, k.ratio, k.shots),
            *(reference.get(k.trainer, 1), k),
        ),
    )
