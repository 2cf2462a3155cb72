"""Where the runs of a sweep are run: on this machine, on a Slurm cluster, on a Ray cluster.

An engine starts processes; what they do is the same everywhere: claim the next job of the plan, run
it, until nothing is left (:mod:`npt_plugin.sweep.claims`). Engines may work on one plan together.
"""

from __future__ import annotations

from typing import Protocol

from npt_plugin.sweep.plan import Plan


class Engine(Protocol):
    """What ``npt sweep`` needs of an engine.

    Attributes:
        name: As the flag ``--engine`` has it.
        waits: Whether ``start`` returns when the sweep has ended, or as soon as it is handed over.
    """

    name: str
    waits: bool

    @property
    def width(self) -> int:
        """How many runs or passes go at a time, as far as that is known beforehand; at least 1."""

    def start(self, plan: Plan) -> None:
        """Have the jobs of a plan run that has been written, and forgiven what failed before.

        Raises:
            UserError: If the engine's package or cluster is not there.
            Stopped: If it waits and a signal came; runs have then ended after their step.
        """
