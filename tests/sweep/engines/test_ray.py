"""A crew of actors with a stand-in for Ray (tests/clusters has the real one)."""

import sys
import threading
from dataclasses import asdict
from types import SimpleNamespace

import pytest
from run_records import record

from npt_plugin.errors import UserError
from npt_plugin.runs.record import write_record
from npt_plugin.sweep.attempts import Attempt, create_attempt, now
from npt_plugin.sweep.claims import WAITING, Claims
from npt_plugin.sweep.engines import ray as module
from npt_plugin.sweep.engines.ray import Crew, Ray
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.plan import Plan, read_plan
from npt_plugin.system.processes import Process

OWNER = Process("node b", 17, "another boot", "3")


class RayError(Exception):
    pass


class RayTaskError(RayError):
    def __init__(self, cause):
        self.cause = cause


class FakeRay:
    """Actors are threads; ``resources`` is the cluster, ``deaths`` how many actors die at once.

    ``lost``: whether their node dies with them.
    """

    def __init__(self, **resources):
        self.resources, self.deaths, self.lost = resources, 0, False
        self.asked, self.most, self.stopped = [], 0, 0
        self.running = {}
        self.exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def cluster_resources(self):
        return self.resources

    def remote(self, kind):
        ray = self

        def options(**options):
            def make(plan):
                ray.asked.append(options)
                work = threading.Event()
                worker = _Worker(ray, plan, work)
                ray.running[work] = worker
                ray.most = max(ray.most, len(ray.running))
                calls = {"work": worker.start, "stop": worker.stop, "where": worker.where}
                return SimpleNamespace(
                    **{name: SimpleNamespace(remote=call) for name, call in calls.items()}
                )

            return SimpleNamespace(remote=make)

        return SimpleNamespace(options=options)

    def wait(self, works, num_returns=1, timeout=None):
        ended = [work for work in works if work.wait(0.02)]
        return ended, [work for work in works if work not in ended]

    def nodes(self):
        return [{"NodeID": "a", "Alive": True}, {"NodeID": "b", "Alive": not self.lost}]

    def get(self, work, timeout=None):
        if isinstance(work, tuple):
            return work
        if error := self.running.pop(work).error:
            raise error


class _Worker:
    def __init__(self, ray, plan, ended):
        self.ray, self.plan, self.ended, self.error = ray, read_plan(plan), ended, None
        self.stopping = threading.Event()

    def start(self):
        threading.Thread(target=self.run).start()
        return self.ended

    def begin(self, claims):
        """A job that nobody will show signs of life for any more."""
        for job in self.plan.jobs:
            if (state := claims.state(job)).name == WAITING:
                attempt = Attempt(job.name, OWNER, started=now())
                create_attempt(claims._of(job), state.number + 1, attempt)
                return

    def where(self):
        return "b", asdict(OWNER)

    def stop(self):
        self.ray.stopped += 1
        self.stopping.set()

    def run(self):
        claims = Claims(self.plan.output)
        if self.ray.deaths:
            self.ray.deaths -= 1
            if self.ray.lost:
                self.begin(claims)
            self.error = RayError("the actor died")
        else:
            while not self.stopping.is_set() and (
                claim := next(filter(None, map(claims.take, self.plan.jobs)), None)
            ):
                for step in claim.job.steps():
                    write_record(step.folder, record())
                claim.done()
        self.ended.set()


@pytest.fixture
def plan(tmp_path):
    jobs = [Job("dtd", "CoOp", "cfg", seed, output=str(tmp_path / "out")) for seed in range(6)]
    found = Plan.of(jobs, tmp_path)
    found.write()
    return found


@pytest.mark.parametrize(
    "resources, per_device, share, most",
    [
        ({"CPU": 3.0}, 1, {"num_cpus": 1.0}, 3),
        ({"CPU": 64.0, "GPU": 2.0}, 2, {"num_cpus": 0, "num_gpus": 0.5}, 4),
        ({"CPU": 64.0}, 1, {"num_cpus": 1.0}, 6),  # no more than there are jobs
    ],
)
def test_as_many_actors_as_the_cluster_has_room_for(plan, resources, per_device, share, most):
    ray = FakeRay(**resources)
    Crew(ray, plan, 0, per_device).work()
    assert ray.most == most and not ray.running
    assert ray.asked[0] == {"max_restarts": 0, "max_concurrency": 2, **share}


def test_a_number_of_actors_is_asked_for_whatever_the_room(plan):
    ray = FakeRay(CPU=1.0)
    Crew(ray, plan, 5, 1).work()
    assert ray.most == 5


def test_actors_that_die_are_replaced_until_it_is_not_the_runs_that_kill_them(plan):
    ray = FakeRay(CPU=2.0)
    ray.deaths = 4
    Crew(ray, plan, 0, 1).work()
    ray = FakeRay(CPU=2.0)
    ray.deaths = 1000
    plan = Plan.of([Job("dtd", "CoOp", "cfg", 9, output=str(plan.output))], plan.configs)
    plan.write()
    with pytest.raises(UserError, match="die one after the other"):
        Crew(ray, plan, 0, 1).work()


def test_a_node_that_is_gone_gives_its_runs_back_at_once_and_they_are_not_to_blame(plan):
    ray = FakeRay(CPU=2.0)
    ray.lost, ray.deaths = True, 40  # more than actors may die on nodes that live
    Crew(ray, plan, 0, 1).work()
    states = [Claims(plan.output).state(job) for job in plan.jobs]
    assert {(state.name, state.deaths) for state in states} == {("done", 0)}
    assert sum(state.number for state in states) > 3 * len(plan.jobs)


def test_what_an_actor_cannot_do_is_said_by_the_command(plan):
    ray = FakeRay(CPU=1.0)
    ray.get = lambda work: (_ for _ in ()).throw(RayTaskError(UserError("No data here.")))
    with pytest.raises(UserError, match=r"No data here\."):
        Crew(ray, plan, 0, 1).work()


def test_without_ray_or_a_cluster_a_sentence_says_what_to_do(plan, monkeypatch):
    def init(address, **options):
        raise ConnectionError("Could not find any running Ray instance.\nMore.")

    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(init=init))
    with pytest.raises(UserError, match=r"no Ray cluster at auto .*ray start --head"):
        Ray().start(plan)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r"pip install 'npt-plugin\[ray\]'"):
        Ray()


def test_an_actor_serves_the_plan_until_it_is_told_to_stop(plan, monkeypatch):
    seen = []
    monkeypatch.chdir("/")

    def serve(plan, claims, stop, linger):
        seen.append((plan, claims.task, stop()))
        actor.stop()
        seen.append(stop())

    monkeypatch.setattr(module, "serve", serve)
    actor = module.Actor(str(plan.path))
    actor.work()
    assert seen == [(plan, "ray", False), True]
