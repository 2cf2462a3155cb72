"""A crew of actors with a stand-in for Ray (tests/clusters has the real one)."""

import sys
import threading
from types import SimpleNamespace

import pytest
from run_records import record

from npt_plugin.errors import UserError
from npt_plugin.runs.record import write_record
from npt_plugin.sweep.claims import Claims
from npt_plugin.sweep.engines import ray as module
from npt_plugin.sweep.engines.ray import Crew, Ray
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.plan import Plan, read_plan


class RayError(Exception):
    pass


class RayTaskError(RayError):
    def __init__(self, cause):
        self.cause = cause


class FakeRay:
    """Actors are threads; ``resources`` is the cluster, ``deaths`` how many actors die at once."""

    def __init__(self, **resources):
        self.resources, self.deaths = resources, 0
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
                stop = SimpleNamespace(remote=worker.stop)
                return SimpleNamespace(work=SimpleNamespace(remote=worker.start), stop=stop)

            return SimpleNamespace(remote=make)

        return SimpleNamespace(options=options)

    def wait(self, works, num_returns=1, timeout=None):
        ended = [work for work in works if work.wait(0.02)]
        return ended, [work for work in works if work not in ended]

    def get(self, work):
        if error := self.running.pop(work).error:
            raise error


class _Worker:
    def __init__(self, ray, plan, ended):
        self.ray, self.plan, self.ended, self.error = ray, read_plan(plan), ended, None
        self.stopping = threading.Event()

    def start(self):
        threading.Thread(target=self.run).start()
        return self.ended

    def stop(self):
        self.ray.stopped += 1
        self.stopping.set()

    def run(self):
        claims = Claims(self.plan.output)
        if self.ray.deaths:
            self.ray.deaths -= 1
            self.error = RayError("the actor died")
        else:
            while not self.stopping.is_set() and (claim := claims.next(self.plan.jobs)):
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
