"""Claims: one owner a job, dead owners found by silence or at once, two deaths and no more."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from npt_plugin.sweep import attempts, claims
from npt_plugin.sweep.attempts import Attempt, Seen
from npt_plugin.sweep.claims import DIED, WAITING, Claims, Watch
from npt_plugin.sweep.job import Job
from npt_plugin.system.processes import Process, this_process

STRANGER = Process("node7", 4242, "another boot", "99")


@pytest.fixture
def job(tmp_path):
    return Job("dtd", "CoOp", "cfg", 1, output=str(tmp_path))


def jobs_of(tmp_path, count):
    return [Job("dtd", "CoOp", "cfg", seed, output=str(tmp_path)) for seed in range(count)]


def left_by(job, owner, lease=60.0, number=1):
    """An attempt that somebody else has made."""
    place = Claims(job.output)._of(job)
    attempts.create_attempt(place, number, Attempt(job.name, owner, "", attempts.now(), lease))
    return attempts.attempt_file(place, number)


def dead_process():
    """A process of this machine that is no more."""
    return replace(this_process(), pid=2**22 + 1, start="5")


def test_a_job_has_one_owner_until_it_ends(job):
    mine, theirs = Claims(job.output, "task 1"), Claims(job.output)
    claim = mine.take(job)
    assert claim.job == job and theirs.take(job) is None
    state = theirs.state(job)
    assert state.name == "running" and state.attempt.task == "task 1"
    assert state.attempt.owner == this_process()
    claim.done()
    assert theirs.state(job).name == "done" and theirs.take(job) is None


def test_a_released_job_is_free_at_once_however_often(job):
    for _ in range(5):
        claim = Claims(job.output).take(job)
        claim.release()
    assert Claims(job.output).state(job).name == WAITING


def test_a_failure_is_kept_with_its_reason_until_it_is_forgiven(job):
    mine = Claims(job.output)
    mine.take(job).failed("no memory")
    state = Claims(job.output).state(job)
    assert (state.name, state.attempt.reason) == ("failed", "no memory")
    assert Claims(job.output).take(job) is None
    mine.forgive([job])
    assert mine.state(job).name == WAITING
    mine.take(job).done()
    mine.forgive([job])  # its results were deleted: the caller knows
    assert mine.state(job).name == WAITING


def test_what_was_run_without_claims_is_settled(tmp_path):
    free, failed, running = jobs_of(tmp_path, 3)
    mine = Claims(tmp_path)
    mine.take(failed).failed("no memory")  # and then run by hand
    claim = mine.take(running)
    mine.settle([free, failed, running])
    states = [Claims(tmp_path).state(job).name for job in (free, failed, running)]
    assert states == ["done", "done", "running"]
    assert not claim.lost.wait(0.1)
    claim.release()


def test_what_runs_or_waits_needs_no_forgiving(job):
    mine = Claims(job.output)
    mine.forgive([job])
    assert mine.state(job).number == 0
    claim = mine.take(job)
    Claims(job.output).forgive([job])
    assert mine.state(job).number == 1 and not claim.lost.is_set()
    claim.release()


def test_sweeps_that_share_a_run_share_its_claim(tmp_path):
    xd = Job("imagenet", "CoOp", "cfg", 1, output=str(tmp_path), protocol="xd", targets=("dtd",))
    other = replace(xd, targets=("eurosat",))
    claim = Claims(tmp_path).take(xd)
    assert Claims(tmp_path).take(other) is None
    assert (another := Claims(tmp_path).take(replace(xd, seed=2))) is not None
    claim.release()
    another.release()


@pytest.mark.skipif(not this_process().start, reason="this system has no /proc")
def test_a_dead_owner_on_this_machine_is_seen_at_once_and_two_deaths_are_enough(job):
    left_by(job, dead_process())
    mine = Claims(job.output)
    assert (mine.state(job).name, mine.state(job).deaths) == (WAITING, 1)
    claim = mine.take(job)
    assert claim is not None and mine.state(job).number == 2
    claim.release()
    left_by(job, dead_process(), number=3)
    state = mine.state(job)
    assert (state.name, state.deaths) == (DIED, 2) and mine.take(job) is None
    mine.forgive([job])
    assert (mine.state(job).name, mine.state(job).deaths) == (WAITING, 0)


def test_an_engine_that_knows_an_owner_is_gone_frees_its_job_without_blame(job):
    path, other = left_by(job, STRANGER), replace(STRANGER, pid=1)
    watch = Claims(job.output)
    watch.give_back(other, [job])
    assert watch.state(job).name == "running"
    watch.give_back(STRANGER, [job])
    assert watch.state(job) == replace(Claims(job.output).state(job), name=WAITING, deaths=0)
    assert json.loads(path.read_text())["state"] == "released"
    claim = watch.take(job)
    claim.done()
    watch.give_back(claim.owner, [job])  # what has ended stays as it ended
    assert watch.state(job).name == "done"


def test_a_silent_stranger_is_dead_after_its_lease_by_our_own_clock(job):
    """Its file's times do not count: its clock, or the server's, may be hours away."""
    path, clock = left_by(job, STRANGER, lease=12.0), [0.0]
    os.utime(path, (1, 1))  # long ago
    mine = Claims(job.output)
    mine._watch = Watch(lambda: clock[0])
    for at in range(0, 12, 2):
        clock[0] = float(at)
        assert mine.take(job) is None
    os.utime(path, (2**31, 2**31))  # a sign of life, from a clock far ahead
    for at in range(12, 24, 2):
        clock[0] = float(at)
        assert mine.take(job) is None
    clock[0] = 24.0
    claim = mine.take(job)
    assert claim is not None and mine.state(job).deaths == 1
    claim.release()


def test_a_watcher_that_could_not_look_does_not_take_a_live_job():
    """A server that hangs stops signs of life and watchers alike."""
    clock = [0.0]
    watch = Watch(lambda: clock[0])
    seen = Seen(1, Attempt("a", STRANGER, lease=60.0), (1, 1))
    assert not watch.is_dead(Path("a"), seen)
    clock[0] = 1000.0
    assert not watch.is_dead(Path("a"), seen)
    for at in (1020.0, 1040.0):
        clock[0] = at
        dead = watch.is_dead(Path("a"), seen)
    assert dead


def test_an_attempt_nobody_has_written_is_given_its_time(job):
    place = Claims(job.output)._of(job)
    place.mkdir(parents=True)
    attempts.attempt_file(place, 1).write_text("")
    clock = [0.0]
    mine = Claims(job.output)
    mine._watch = Watch(lambda: clock[0])
    found = []
    for _ in range(8):
        found.append(mine.state(job).name)
        clock[0] += 10
    assert found == ["running"] * 6 + [WAITING] * 2


def test_an_owner_shows_signs_of_life(job):
    claim = Claims(job.output, lease=0.3).take(job)
    path = attempts.attempt_file(claim._folder, 1)
    before = path.stat().st_mtime_ns
    until = time.monotonic() + 10
    while path.stat().st_mtime_ns == before and time.monotonic() < until:
        time.sleep(0.01)
    assert path.stat().st_mtime_ns != before and not claim.lost.is_set()
    claim.done()
    assert not claim._thread.is_alive()


def test_an_owner_learns_that_its_job_was_taken(job):
    claim = Claims(job.output, lease=0.3).take(job)
    left_by(job, STRANGER, number=2)
    assert claim.lost.wait(10)


RACER = """
import sys
from npt_plugin.sweep.claims import Claims
from npt_plugin.sweep.job import Job
output, start = sys.argv[1:]
jobs = [Job("dtd", "CoOp", "cfg", seed, output=output) for seed in range(40)]
sys.stdin.readline()
mine = Claims(output)
for claim in filter(None, map(mine.take, jobs)):
    print(claim.job.seed, flush=True)
    claim.done()
"""


def test_racing_processes_share_all_jobs_and_run_none_twice(tmp_path):
    """A third of the jobs was left by dead owners, which all of them find at the same time."""
    for job in jobs_of(tmp_path, 40)[::3]:
        left_by(job, dead_process() if this_process().start else STRANGER, lease=0.2)
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(tmp_path), "now"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    said = [racer.communicate(timeout=120)[0].split() for racer in racers]
    assert Counter(int(seed) for part in said for seed in part) == Counter(range(40))


@pytest.mark.skipif(not this_process().start, reason="this system has no /proc")
def test_the_job_of_a_killed_process_is_free(job, tmp_path):
    code = (
        "import sys, time; from npt_plugin.sweep.claims import Claims\n"
        "from npt_plugin.sweep.job import Job\n"
        "claim = Claims(sys.argv[1]).take(Job('dtd', 'CoOp', 'cfg', 1, output=sys.argv[1]))\n"
        "print('taken', flush=True); time.sleep(60)"
    )
    words = [sys.executable, "-c", code, str(tmp_path)]
    other = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "taken\n"
    mine = Claims(job.output)
    assert mine.state(job).attempt.owner.pid == other.pid and mine.take(job) is None
    other.send_signal(signal.SIGKILL)
    other.wait()
    claim = mine.take(job)
    assert claim is not None and mine.state(job).deaths == 1
    claim.release()


def test_a_claim_file_says_who_and_since_when(job):
    claim = Claims(job.output, "slurm 12_3").take(job)
    held = json.loads(attempts.attempt_file(claim._folder, 1).read_text())
    assert held["job"] == job.name and held["task"] == "slurm 12_3"
    assert held["owner"] == asdict(claim.owner) and held["lease"] == claims.LEASE
    assert held["started"].endswith("Z")
    claim.release()
