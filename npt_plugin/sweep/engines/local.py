"""The workers of a sweep on this machine: one a device, or several to one."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ALL_COMPLETED, Future, ThreadPoolExecutor, wait

import torch

from npt_plugin.errors import UserError
from npt_plugin.sweep import attempts
from npt_plugin.sweep import claims as states
from npt_plugin.sweep.claims import Claims
from npt_plugin.sweep.nursery import ALONE
from npt_plugin.sweep.plan import Plan
from npt_plugin.sweep.status import status_of
from npt_plugin.sweep.tell import Teller
from npt_plugin.sweep.worker import forget_shared, serve
from npt_plugin.system.signals import stop_here, stop_signals

_LOOK = 0.5
"""Seconds between two looks at how far the jobs are; more where a look takes long itself: the
runs need the cores."""

_ENDED = (attempts.DONE, attempts.FAILED, states.DIED)


class Local:
    """Workers in this process's care, until nothing is left.

    Args:
        jobs: Runs at a time; 0: ``per_device``, or else one a core.
        per_device: Runs at a time on each device; a machine without CUDA is one device.
        task: The engine's name for these workers, where a cluster started them.
        linger: Seconds to stay while workers elsewhere have the rest, see
            :func:`~npt_plugin.sweep.worker.serve`.

    Raises:
        UserError: If both numbers are given, or one is below 0.
    """

    name, waits = "local", True

    def __init__(
        self, jobs: int = 0, per_device: int = 0, task: str = "", linger: float = math.inf
    ) -> None:
        for flag, value in (("--jobs", jobs), ("--per-device", per_device)):
            if value < 0:
                raise UserError(f"{flag} is {value}; it must be 1 or more.")
        if jobs and per_device:
            raise UserError(
                "--jobs and --per-device both say how many runs go at a time: give one."
            )
        self.jobs, self.per_device, self.task, self.linger = jobs, per_device, task, linger

    @property
    def width(self) -> int:
        """Workers."""
        return len(self.environments())

    def start(self, plan: Plan) -> None:
        """Run all jobs of a plan that are free.

        Ctrl-C and SIGTERM are passed on to the runs, which finish their step; nothing new starts.

        Raises:
            Stopped: After such a signal, when the runs have ended.
        """
        stop, crew = threading.Event(), self.environments()
        with stop_signals(), ThreadPoolExecutor(len(crew), "worker") as pool:
            try:
                serving = [
                    pool.submit(
                        serve,
                        plan,
                        Claims(plan.output, self.task),
                        stop.is_set,
                        environment=own,
                        linger=self.linger,
                    )
                    for own in crew
                ]
                _watch(plan, serving)
            finally:
                stop.set()
        forget_shared(plan)

    def environments(self) -> list[dict[str, str]]:
        """What each worker's environment has of its own: a device; one core if it is not alone.

        Devices are dealt out in turn.
        """
        devices = cuda_devices()
        count = self.jobs or self.per_device * max(1, len(devices)) or os.cpu_count() or 1
        alone = ALONE if count > 1 else {}
        if not devices:
            return [dict(alone) for _ in range(count)]
        names = [devices[number % len(devices)] for number in range(count)]
        return [{**alone, "CUDA_VISIBLE_DEVICES": name} for name in names]


def cuda_devices() -> list[str]:
    """The CUDA devices this process may use, by the names its children know them by."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name for name in visible.split(",") if name]
    return [str(number) for number in range(torch.cuda.device_count())]


def _watch(plan: Plan, serving: Sequence[Future[None]]) -> None:
    """Say what ends, until the workers have; raises what went wrong in one."""
    claims = Claims(plan.output)
    jobs = [job for job in plan.jobs if claims.state(job).name not in _ENDED]
    teller = Teller(jobs)
    try:
        while True:
            stop_here()  # a signal that came as a worker wrote a claim
            began, last = time.monotonic(), all(future.done() for future in serving)
            teller.tell(status_of(jobs, claims))
            for future in serving:
                if future.done():
                    future.result()
            if last:
                return
            took = time.monotonic() - began
            wait(serving, max(_LOOK, 100 * took), ALL_COMPLETED)
    finally:
        teller.close()
