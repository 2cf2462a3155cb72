"""Workers on this machine: how many, on which devices, and that they end as they should."""

import os
import signal
import threading
import time

import pytest

from npt_plugin.errors import UserError
from npt_plugin.sweep.claims import Claims
from npt_plugin.sweep.engines import local
from npt_plugin.sweep.engines.local import Local
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.plan import Plan
from npt_plugin.system.signals import Stopped, shielded


@pytest.mark.parametrize(
    "visible, words, expected",
    [
        ("", {"jobs": 2}, [None, None]),  # a machine without
        ("", {"per_device": 3}, [None] * 3),
        ("0,2", {"jobs": 5}, ["0", "2", "0", "2", "0"]),
        ("0,2", {"per_device": 2}, ["0", "2", "0", "2"]),
        ("GPU-a", {"jobs": 1}, ["GPU-a"]),
        (None, {"jobs": 3}, ["0", "1", "0"]),  # torch finds two
    ],
)
def test_devices_are_dealt_out_in_turn(monkeypatch, visible, words, expected):
    monkeypatch.setattr(local.torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    crew = Local(**words).environments()
    assert [own.get("CUDA_VISIBLE_DEVICES") for own in crew] == expected
    alone = {own.get("OMP_NUM_THREADS") for own in crew}
    assert alone == {"1" if len(crew) > 1 else None}


def test_without_a_number_there_is_one_worker_a_core(monkeypatch):
    monkeypatch.setattr(local.os, "cpu_count", lambda: 6)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert len(Local().environments()) == 6


@pytest.mark.parametrize("words", [{"jobs": -1}, {"per_device": -2}, {"jobs": 2, "per_device": 1}])
def test_a_number_that_cannot_be_is_refused(words):
    with pytest.raises(UserError, match="--per-device|--jobs"):
        Local(**words)


@pytest.fixture
def plan(tmp_path):
    jobs = [Job("pets", "CoOp", "small", seed, output=str(tmp_path / "out")) for seed in range(4)]
    return Plan.of(jobs, tmp_path)


def test_a_signal_that_comes_as_a_worker_writes_a_claim_is_not_lost(plan, monkeypatch):
    told = []

    def serve(plan, claims, stop, **_):
        with shielded():
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.3)
        until = time.monotonic() + 30
        while not stop() and time.monotonic() < until:
            time.sleep(0.01)
        told.append(stop())

    monkeypatch.setattr(local, "serve", serve)
    with pytest.raises(Stopped):
        Local(jobs=1).start(plan)
    assert told == [True]


def test_workers_share_the_jobs_and_what_ends_is_said(plan, monkeypatch, capfd):
    """The runs themselves are played: what a worker does is tested with it."""
    taken = []
    monkeypatch.setattr(Job, "done", lambda job: Claims(job.output).state(job).name == "done")

    def serve(plan, claims, stop, environment, linger):
        for claim in filter(None, map(claims.take, plan.jobs)):
            taken.append((threading.current_thread().name, claim.job.seed))
            time.sleep(0.05)
            claim.failed("no luck") if claim.job.seed == 2 else claim.done()

    monkeypatch.setattr(local, "serve", serve)
    shared = plan.output / ".sweep" / "shared"
    shared.mkdir(parents=True)
    Local(2).start(plan)
    assert sorted(seed for _, seed in taken) == [0, 1, 2, 3]
    assert len({name for name, _ in taken}) == 2
    said = capfd.readouterr().out.splitlines()
    assert len(said) == 4 and sum(line.endswith(": failed: no luck") for line in said) == 1
    assert said[-1].startswith("[4/4] ") and shared.exists()  # one failed: it is tried again
    Claims(plan.output).forgive(plan.jobs)
    monkeypatch.setattr(local, "serve", lambda plan, claims, *a, **k: _all_done(plan, claims))
    Local(2).start(plan)
    assert not shared.exists()


def _all_done(plan, claims):
    for claim in filter(None, map(claims.take, plan.jobs)):
        claim.done()


def test_what_goes_wrong_in_a_worker_is_raised_and_stops_the_others(plan, monkeypatch):
    stopped, calls = threading.Event(), iter("ab")

    def serve(plan, claims, stop, environment, linger):
        if next(calls) == "a":
            raise UserError("disk full")
        while not stop():
            time.sleep(0.01)
        stopped.set()

    monkeypatch.setattr(local, "serve", serve)
    with pytest.raises(UserError, match="disk full"):
        Local(2).start(plan)
    assert stopped.is_set()
