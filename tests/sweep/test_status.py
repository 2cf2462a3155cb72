"""How far a sweep is: counts, who runs what, why it failed, and when it ends."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from run_records import record

from npt_plugin.errors import UserError
from npt_plugin.runs.record import write_record
from npt_plugin.sweep import status as module
from npt_plugin.sweep.attempts import Attempt
from npt_plugin.sweep.claims import Claims
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.plan import Plan
from npt_plugin.sweep.status import (
    Status,
    follow,
    jobs_below,
    lines,
    status_of,
    summary,
    task_errors,
)
from npt_plugin.system.processes import Process

AT = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


@pytest.fixture
def jobs(tmp_path):
    return [Job("dtd", "CoOp", "cfg", seed, output=str(tmp_path)) for seed in range(6)]


def finish(job):
    for step in job.steps():
        write_record(step.folder, record())


def begun(seconds_ago):
    started = (AT - timedelta(seconds=seconds_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Attempt("a", Process("node7", 42), "slurm 12_3", started)


def test_every_job_stands_somewhere(jobs, tmp_path):
    mine = Claims(tmp_path, "slurm 12_3")
    done, by_hand, running, failed, gone, waiting = jobs
    mine.take(done).done()
    finish(done)
    finish(by_hand)
    claim = mine.take(running)
    mine.take(failed).failed("no memory")
    mine.take(gone).done()  # and its folder was deleted
    found = status_of(jobs, Claims(tmp_path))
    assert (found.done, found.waiting) == ([done, by_hand], [waiting])
    assert [job for job, _ in found.running] == [running]
    assert found.failed == [(failed, "no memory"), (gone, "its results are gone")]
    assert not found.ended
    text = "\n".join(lines(found))
    assert text.startswith("6 runs: 2 done, 1 running, 1 waiting, 2 failed")
    owner = claim.owner
    assert f"{running.name} (process {owner.pid} on {owner.host}, slurm 12_3), for " in text
    assert f"failed   {failed.name}: no memory" in text and "repeats only" in text
    claim.release()


def test_the_end_is_estimated_from_what_runs_took(jobs):
    first, *rest = jobs
    status = Status([first], [(rest[0], begun(10)), (rest[1], begun(100))], rest[2:], [], [30.0])
    # 20 s of the one begun, none of the one that takes longer than it should, 3 x 30 s, 2 workers
    assert status.seconds_left(AT) == (20 + 0 + 3 * 30) / 2
    assert replace(status, seconds=[]).seconds_left(AT) is None
    assert replace(status, running=[]).seconds_left(AT) is None  # nobody knows when it begins
    assert "left, until" in summary(status)


@pytest.mark.parametrize(
    "seconds, said", [(40, "40 s"), (720, "12 min"), (12000, "3 h 20 min"), (89.6, "90 s")]
)
def test_durations_are_read_at_a_glance(seconds, said):
    assert module._duration(seconds) == said


def test_clocks_of_machines_may_differ(jobs):
    status = Status([], [(jobs[0], begun(-500))], [], [], [30.0])  # begun in our future
    assert status.seconds_left(AT) == 30.0
    assert Status([], [(jobs[0], None)], [], [], [30.0]).seconds_left(AT) == 30.0


def test_the_last_sweep_is_looked_at_and_others_that_run(jobs, tmp_path):
    with pytest.raises(UserError, match="holds no sweep"):
        jobs_below(tmp_path, Claims(tmp_path))
    for age, part in ((1, jobs[:2]), (2, jobs[2:4]), (3, jobs[4:])):
        os.utime(Plan.of(part, Path("configs")).write(), (age, age))
    mine = Claims(tmp_path)
    assert jobs_below(tmp_path, mine) == jobs[4:]
    claim = mine.take(jobs[0])
    assert jobs_below(tmp_path, mine) == jobs[4:] + jobs[:2]
    claim.release()


def test_following_ends_when_nothing_runs_or_waits(jobs, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LOOK_EVERY", 0.0)
    mine, seen = Claims(tmp_path), []
    for status in follow(jobs[:2], mine):
        seen.append(len(status.done) + len(status.failed))
        if claim := next(filter(None, map(mine.take, jobs[:2])), None):
            if claim.job == jobs[0]:
                finish(claim.job)
                claim.done()
            else:
                claim.failed("why")
    assert seen == [0, 1, 2]


def test_a_task_that_cannot_work_says_why(tmp_path):
    folder = tmp_path / ".sweep" / "slurm"
    folder.mkdir(parents=True)
    (folder / "slurm-12_0.error").write_text("The folder cannot be entered.\n")
    assert task_errors(tmp_path) == ["  slurm 12_0 cannot work: The folder cannot be entered."]
