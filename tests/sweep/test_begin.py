"""A sweep begins: what completed stays, what failed is free again, mistakes are refused."""

from dataclasses import replace

import pytest
from run_records import record

from npt_plugin.errors import UserError
from npt_plugin.runs.record import write_record
from npt_plugin.sweep import begin as module
from npt_plugin.sweep.begin import begin
from npt_plugin.sweep.claims import Claims
from npt_plugin.sweep.job import Job, Step
from npt_plugin.sweep.plan import plans_below, read_plan


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    """Completed means with the settings asked for; here every record is."""

    def finished(step, configs):
        return (step.folder / "results.json").exists()

    monkeypatch.setattr(Step, "finished", finished)
    monkeypatch.setattr(module, "refuse_mistakes", lambda jobs, configs: None)
    return [Job("dtd", "CoOp", "cfg", seed, output=str(tmp_path / "out")) for seed in range(4)]


def test_only_what_has_not_completed_is_to_do(jobs, tmp_path, capsys):
    done, failed, running, waiting = jobs
    for step in done.steps():
        write_record(step.folder, record())
    mine = Claims(tmp_path / "out")
    mine.take(failed).failed("no memory")
    claim = mine.take(running)
    plan, todo = begin(jobs, tmp_path)
    assert todo == jobs[1:]
    assert "4 runs, 1 completed already, 3 to do" in capsys.readouterr().out
    assert read_plan(plans_below(tmp_path / "out")[0]) == plan and list(plan.jobs) == jobs
    states = [Claims(tmp_path / "out").state(job).name for job in jobs]
    assert states == ["done", "waiting", "running", "waiting"]
    claim.release()


def test_results_that_are_gone_are_made_again(jobs, tmp_path):
    Claims(tmp_path / "out").take(jobs[0]).done()
    begin(jobs, tmp_path)
    assert Claims(tmp_path / "out").state(jobs[0]).name == "waiting"


def test_nothing_is_written_where_a_mistake_is_found(jobs, tmp_path, monkeypatch):
    def refuse(jobs, configs):
        raise UserError("No.")

    monkeypatch.setattr(module, "refuse_mistakes", refuse)
    with pytest.raises(UserError):
        begin([replace(job) for job in jobs], tmp_path)
    assert not (tmp_path / "out").exists()
