"""The beginning of every sweep, whatever runs it: what is to do, written down, all of it free."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from npt_plugin.registration import register_all
from npt_plugin.sweep.claims import Claims
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.mistakes import refuse_mistakes
from npt_plugin.sweep.plan import Plan


def begin(jobs: Sequence[Job], configs: Path, together: int = 0) -> tuple[Plan, list[Job]]:
    """Write the plan of a sweep that is started now, and say how much is to do.

    What failed, or was left after its processes had died, is free again.

    Args:
        jobs: All jobs that are asked for, at least one.
        configs: Folder of the yaml files.
        together: Workers for runs that train in one pass, 0 for none, see ``Plan``.

    Returns:
        The plan, and those of its jobs that have not completed.

    Raises:
        UserError: Before anything is written, on a mistake in a job, or if a run has completed
            with other settings.
    """
    register_all(base=True)
    refuse_mistakes(jobs, configs)
    plan = Plan.of(jobs, configs, together)
    todo = [job for job in plan.jobs if not all([step.finished(configs) for step in job.steps()])]
    print(f"{len(jobs)} runs, {len(jobs) - len(todo)} completed already, {len(todo)} to do")
    plan.write()
    claims = Claims(plan.output)
    claims.settle([job for job in plan.jobs if job not in set(todo)])
    claims.forgive(todo)
    return plan, todo
