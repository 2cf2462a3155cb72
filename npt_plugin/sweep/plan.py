"""The jobs of a sweep, written down for every process that works on it, on whatever machine."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from npt_plugin.errors import UserError
from npt_plugin.sweep.job import Job
from npt_plugin.system.files import write_json
from npt_plugin.system.version import VERSION

FOLDER = ".sweep"
"""Below the output folder: plans, claims, and the logs of engines."""


@dataclass(frozen=True)
class Plan:
    """What a sweep is to run.

    Attributes:
        jobs: In order; all below one output folder.
        configs: Folder of the yaml files, absolute.
        working_dir: Where the sweep was started: relative paths in jobs mean files below it.
        version: Of the package that made it.
        together: Workers among which runs are divided that can train in one pass
            (:mod:`~npt_plugin.sweep.groups`); 0: each run trains alone.
    """

    jobs: tuple[Job, ...]
    configs: Path
    working_dir: Path
    version: str = VERSION
    together: int = 0

    @classmethod
    def of(cls, jobs: Sequence[Job], configs: Path, together: int = 0) -> Plan:
        """The plan of jobs that are started here; their output folder becomes absolute.

        Args:
            jobs: At least one.
            configs: Folder of the yaml files.
            together: See the class.

        Raises:
            ValueError: If there are none, or not all have the same output folder.
        """
        (output,) = {os.path.abspath(job.output) for job in jobs}
        placed = tuple(replace(job, output=output) for job in jobs)
        return cls(placed, Path(configs).resolve(), Path.cwd(), together=together)

    @property
    def output(self) -> Path:
        """Top folder of all runs."""
        return Path(self.jobs[0].output)

    @property
    def path(self) -> Path:
        """Where the plan lies; the same command has the same plan."""
        said = json.dumps(self._as_json(), sort_keys=True)
        return self.output / FOLDER / f"plan-{hashlib.sha256(said.encode()).hexdigest()[:8]}.json"

    def write(self) -> Path:
        """Write the plan below its output folder; returns its path.

        Raises:
            UserError: If the folder cannot be written.
        """
        write_json(self.path, self._as_json())
        return self.path

    def enter(self) -> None:
        """Make the process a worker of this plan: go to where the sweep was started.

        Raises:
            UserError: If another version made the plan, or the folder is not there.
        """
        if self.version != VERSION:
            raise UserError(
                f"The sweep in {self.output} was planned by version {self.version}, this is "
                f"{VERSION}: start it again, or install {self.version} here."
            )
        try:
            os.chdir(self.working_dir)
        except OSError as error:
            raise UserError(
                f"The sweep was started in {self.working_dir}, which cannot be entered here "
                f"({error.strerror}): start it where all machines have the same folders."
            ) from None

    def _as_json(self) -> dict[str, Any]:
        """The output folder is left out: it is where the plan lies."""
        jobs = [{k: v for k, v in asdict(job).items() if k != "output"} for job in self.jobs]
        where = {"configs": str(self.configs), "working_dir": str(self.working_dir)}
        return {"version": self.version, **where, "together": self.together, "jobs": jobs}


def read_plan(path: str | Path) -> Plan:
    """Read a plan, from any working folder.

    Raises:
        UserError: If the file is no plan, or one of a version with other jobs.
    """
    path = Path(os.path.abspath(path))
    output = str(path.parent.parent)
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        jobs = tuple(job_of(words, output) for words in held["jobs"])
        configs, working_dir = Path(held["configs"]), Path(held["working_dir"])
        together = int(held.get("together", 0))
        return Plan(jobs, configs, working_dir, str(held["version"]), together)
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise UserError(f"{path} cannot be read as the plan of a sweep ({error}).") from None


def plans_below(output: str | Path) -> list[Path]:
    """The plans of an output folder, the one written last first."""
    found = Path(output, FOLDER).glob("plan-*.json")
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def job_of(words: dict[str, Any], output: str) -> Job:
    """A job from its fields as JSON has them.

    Raises:
        ValueError: If a field is unknown.
    """
    known = {field.name for field in fields(Job)}
    if unknown := set(words) - known:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    return Job(**{name: _tuples(value) for name, value in words.items()}, output=output)


def _tuples(value: Any) -> Any:
    """JSON knows lists where a job has tuples."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
