"""What a sweep says while it goes on: a bar where somebody watches, and a line a run that ended."""

from __future__ import annotations

from collections.abc import Sequence

from npt_plugin.sweep.job import Job
from npt_plugin.sweep.status import Status, summary
from npt_plugin.system.progress import progress


class Teller:
    """Says what has changed since it was asked last.

    Args:
        jobs: Of the sweep.
        lines: Whether runs that end have a line each; without, a pipe gets nothing.
    """

    def __init__(self, jobs: Sequence[Job], lines: bool = True) -> None:
        self.jobs, self.lines = jobs, lines
        self._told: set[Job] | None = None
        self._bar = progress(total=len(jobs), desc="runs", unit="run")

    def tell(self, status: Status) -> None:
        """Say what ended between the last status and this one; the first is the ground."""
        ended = {job: "done" for job in status.done} | {
            job: f"failed: {reason}" for job, reason in status.failed
        }
        if self._told is not None:
            for job in ended.keys() - self._told:
                if self.lines:
                    self._bar.write(f"[{len(ended)}/{len(self.jobs)}] {job.name}: {ended[job]}")
        self._told = set(ended)
        self._bar.n = len(ended)
        self._bar.set_postfix_str(summary(status).partition(": ")[2])

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()
