"""Titles: what a picture shows, and of which run or runs."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from npt_plugin.runs.layout import ALL_SHOTS
from npt_plugin.runs.record import Record
from npt_plugin.runs.units import Unit, ranked

if TYPE_CHECKING:  # matplotlib is optional
    from matplotlib.figure import Figure


def heading(figure: Figure, what: str, of: str) -> None:
    """What and, below it, of what; above the picture, at its left edge, wrapped to its width."""
    letters = int(figure.get_figwidth() * 12)  # of 10 points, on average 6 points wide
    text = "\n".join(line for part in (what, of) for line in wrap(part, letters))
    figure.suptitle(text, x=0.01, ha="left", fontsize=10, linespacing=1.4)


def of_run(record: Record) -> str:
    """Which run: trainer, dataset, classes, tau, shots, seed."""
    classes = {"base": ", base classes", "new": ", new classes"}.get(record.classes, "")
    shots = "" if record.shots is None else f", {said_shots(record.shots)}"
    return (
        f"{record.trainer} on {record.dataset}{classes}, tau {record.ratio:g}{shots}, "
        f"seed {record.seed}"
    )


def of_units(units: Sequence[Unit]) -> str:
    """Which runs: datasets, taus, shots, seeds."""
    datasets = sorted({unit.key.dataset for unit in units})
    taus = ", ".join(f"{tau:g}" for tau in sorted({unit.key.ratio for unit in units}))
    shots = sorted({unit.key.shots for unit in units if unit.key.shots is not None})
    seeds = ", ".join(map(str, sorted({unit.seed for unit in units})))
    said = [", ".join(datasets) if len(datasets) < 5 else f"{len(datasets)} datasets"]
    said += [f"tau {taus}", *map(said_shots, shots), f"seeds {seeds}"]
    return "; ".join(said)


def trainers_of(units: Sequence[Unit]) -> list[str]:
    """Trainers in the order of the tables: the reference first, then base before NPT."""
    return list(dict.fromkeys(key.trainer for key in ranked(unit.key for unit in units)))


def said_shots(number: int | None) -> str:
    """A number of shots, in words."""
    return "all shots" if number == ALL_SHOTS else f"{number} shot{'s' if number != 1 else ''}"
