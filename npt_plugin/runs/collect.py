"""Every run below a folder: completed, unfinished, and those that stand in no known layout."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from npt_plugin.runs.layout import RESULTS, Place, parse
from npt_plugin.runs.record import Record, read_record


@dataclass(frozen=True)
class Run:
    """One run on disk.

    Attributes:
        folder: Its output folder.
        record: Its checked ``results.json``.
    """

    folder: Path
    record: Record

    @property
    def metrics(self) -> dict[str, Any]:
        """Metrics of a completed run; empty of another."""
        return self.record.metrics or {}


@dataclass(frozen=True)
class PlacedRun(Run):
    """A run that stands in the layout of a protocol.

    Attributes:
        place: What its path says.
        canonical: Whether its path is the one that would be made today.
    """

    place: Place
    canonical: bool

    @property
    def spelling(self) -> tuple[str, ...]:
        """The part of the path that all runs of one unit share, as it is spelled on disk."""
        return self.folder.parts[-5:]


@dataclass(frozen=True)
class Found:
    """What stands below a folder.

    Attributes:
        output: The folder.
        completed: Completed runs in the layout of a protocol.
        elsewhere: Completed runs in no known layout, for example of a plain ``--output-dir``.
        unfinished: Runs that failed, were killed or still run.
    """

    output: Path
    completed: list[PlacedRun] = field(default_factory=list)
    elsewhere: list[Run] = field(default_factory=list)
    unfinished: list[Run] = field(default_factory=list)

    def name(self, run: Run) -> str:
        """A run's folder as seen from the top folder."""
        return str(run.folder.relative_to(self.output))


def find_runs(output: Path) -> Found:
    """Read every record below ``output``.

    Args:
        output: Top folder given to the runs; one that does not exist holds no runs.

    Raises:
        UserError: If a record is damaged; it is named.
    """
    found = Found(output)
    for path in sorted(output.rglob(RESULTS)) if output.is_dir() else []:
        folder, record = path.parent, read_record(path)
        place = parse(folder.relative_to(output))
        if record.status != "completed":
            found.unfinished.append(Run(folder, record))
        elif place is None:
            found.elsewhere.append(Run(folder, record))
        else:
            canonical = place.folder(output) == folder
            found.completed.append(PlacedRun(folder, record, place, canonical))
    return found
