"""Ray: workers are actors on the GPUs or cores of a cluster whose nodes come and go."""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from dataclasses import asdict
from typing import Any

from npt_plugin.errors import UserError
from npt_plugin.sweep.claims import Claims
from npt_plugin.sweep.plan import Plan, read_plan
from npt_plugin.sweep.status import LOOK_EVERY, status_of
from npt_plugin.sweep.tell import Teller
from npt_plugin.sweep.worker import serve
from npt_plugin.system.processes import Process, this_process
from npt_plugin.system.signals import Stopped, stop_signals

PATIENCE = 60.0
"""Seconds that actors have to end their step when the sweep is stopped."""

NODE_SEEN_DEAD = 60.0
"""Seconds after an actor is gone in which its node may turn out to be: Ray waits for some missed
heartbeats, a quarter of a minute as it comes."""

SPARE_DEATHS = 5
"""Actors that may die beyond two a job: then they do not die of their runs."""


class Ray:
    """Keeps as many actors at work as the cluster has room for, and returns when all is done.

    Args:
        address: Of the cluster; ``auto``: the one this machine is in.
        actors: At most so many, also beyond today's room: an autoscaler then makes more; 0: what
            there is room for, nodes that come later included.
        per_device: Actors to a GPU, or to a core where the cluster has no GPU.

    Raises:
        UserError: If Ray is not installed.
    """

    name, waits = "ray", True

    def __init__(self, address: str = "auto", actors: int = 0, per_device: int = 1) -> None:
        self.address, self.actors, self.per_device = address, actors, per_device
        _ray()  # said before anything is written

    @property
    def width(self) -> int:
        """Actors that were asked for; how many the cluster has room for turns out later."""
        return self.actors or 1

    def start(self, plan: Plan) -> None:
        """Run all jobs of a plan that has been written."""
        ray = _ray()
        environment = {"PYTHONPATH": os.pathsep.join(part for part in sys.path if part)}
        try:
            ray.init(
                self.address,
                log_to_driver=False,
                logging_level="ERROR",
                runtime_env={"env_vars": environment},
            )
        except (ConnectionError, ValueError, RuntimeError) as error:
            said = str(error).strip().partition("\n")[0]
            raise UserError(
                f"There is no Ray cluster at {self.address} ({said}): start one (ray start "
                "--head), or name it with --ray ADDRESS."
            ) from None
        try:
            Crew(ray, plan, self.actors, self.per_device).work()
        finally:
            ray.shutdown()


class Actor:
    """One worker, in a process that Ray starts on a node with room for it.

    Args:
        plan: Path of the plan.
    """

    def __init__(self, plan: str) -> None:
        self.plan, self.stopping = plan, threading.Event()

    def work(self) -> None:
        """Run jobs until nothing is left or ``stop`` is called."""
        plan = read_plan(self.plan)
        plan.enter()
        claims = Claims(plan.output, "ray")
        serve(plan, claims, self.stopping.is_set, linger=math.inf)

    def where(self) -> tuple[str, dict[str, Any]]:
        """Ray's name of the node it is on, and the process it is."""
        return _ray().get_runtime_context().get_node_id(), asdict(this_process())

    def stop(self) -> None:
        """End after the step in progress."""
        self.stopping.set()


class Crew:
    """The actors of one sweep, as the process that started them sees them."""

    def __init__(self, ray: Any, plan: Plan, actors: int, per_device: int) -> None:
        self.ray, self.plan, self.actors, self.per_device = ray, plan, actors, per_device
        self.claims, self.deaths = Claims(plan.output), 0
        self.working = dict[Any, Any]()  # what an actor's work will give: actor, where it is
        self.lost = list[tuple[Any, float]]()  # where actors were that have died, and when

    def work(self) -> None:
        """Return when nothing is left.

        Raises:
            UserError: If actors cannot work, with the reason.
            Stopped: If a signal came.
        """
        teller = Teller(self.plan.jobs)
        with stop_signals():
            try:
                while True:
                    status = status_of(self.plan.jobs, self.claims)
                    teller.tell(status)
                    if status.ended and not self.working:
                        return
                    self._hire(len(status.waiting) + len(status.running))
                    self._look()
                    self._excuse()
            except Stopped:
                self._stop()
                raise
            finally:
                teller.close()

    def _hire(self, useful: int) -> None:
        resources = self.ray.cluster_resources()
        device = "GPU" if resources.get("GPU") else "CPU"
        room = int(resources.get(device, 0)) * self.per_device
        share = {f"num_{device.lower()}s": 1 / self.per_device}
        kind = self.ray.remote(Actor).options(
            **{"num_cpus": 0, "max_restarts": 0, "max_concurrency": 2, **share}
        )
        for _ in range(min(self.actors or room, useful) - len(self.working)):
            actor = kind.remote(str(self.plan.path))
            where = actor.where.remote()
            self.working[actor.work.remote()] = actor, where

    def _look(self) -> None:
        """See who has ended; a death is no failure: another takes the run again."""
        if not self.working:
            time.sleep(LOOK_EVERY)
            return
        ended, _ = self.ray.wait(list(self.working), timeout=LOOK_EVERY)
        for work in ended:
            _, where = self.working.pop(work)
            try:
                self.ray.get(work)
            except self.ray.exceptions.RayTaskError as error:
                raise error.cause from None
            except self.ray.exceptions.RayError as error:
                self.lost.append((where, time.monotonic()))
                self.deaths += 1
                if self.deaths > 2 * len(self.plan.jobs) + SPARE_DEATHS:
                    raise UserError(f"Ray's actors die one after the other: {error}") from None

    def _excuse(self) -> None:
        """What went with its node is not to blame: those runs are free, those deaths forgotten."""
        now = time.monotonic()
        self.lost = [(where, since) for where, since in self.lost if now - since < NODE_SEEN_DEAD]
        if not self.lost:
            return
        alive = {node["NodeID"] for node in self.ray.nodes() if node["Alive"]}
        for one in list(self.lost):
            try:
                node, process = self.ray.get(one[0], timeout=LOOK_EVERY)
            except self.ray.exceptions.RayError:  # it died before it could say
                self.lost.remove(one)
                continue
            if node not in alive:
                self.lost.remove(one)
                self.deaths -= 1
                self.claims.give_back(Process(**process), self.plan.jobs)

    def _stop(self) -> None:
        print("Stopping: runs end after their step.", file=sys.stderr)
        for actor, _ in self.working.values():
            actor.stop.remote()
        self.ray.wait(list(self.working), num_returns=len(self.working), timeout=PATIENCE)


def _ray() -> Any:
    try:
        import ray
    except ImportError:
        raise UserError("--engine ray needs Ray: pip install 'npt-plugin[ray]'.") from None
    return ray
