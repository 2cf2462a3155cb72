"""One run of a worker: what it is told, as a line and back."""

from dataclasses import replace

import pytest
from every_job import JOBS

from npt_plugin.sweep import task as task_module
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.task import Task, carry_out, read_task
from npt_plugin.system import shared

JOBS = [JOBS[0], replace(JOBS[1], output="out put")]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.protocol)
def test_a_line_says_all_of_it(job):
    task = Task(job, 1, "my configs", "out put/shared", tuple(JOBS))
    assert "\n" not in task.as_json() and read_task(task.as_json()) == task
    assert task.step == job.steps()[1]


def test_it_waits_for_the_folder_and_shares(tmp_path, monkeypatch):
    done = []
    monkeypatch.setattr(
        task_module, "wait_until_free", lambda folder, seconds: done.append((folder, seconds))
    )
    monkeypatch.setattr(
        task_module, "run_step", lambda *words: done.append((*words, shared.current().folder))
    )
    task = Task(Job("dtd", "CoOp", "cfg", 1, output=str(tmp_path)), 0, "configs", str(tmp_path))
    assert carry_out(task) == 0 and shared.current() is None
    assert done[0] == (task.step.folder, task_module.PATIENCE)
    assert done[1][0] == task.step and done[1][2] == tmp_path


def test_a_mistake_is_one_sentence_and_a_code(tmp_path, capfd):
    task = Task(Job("dtd", "CoOp", "absent", 1, output=str(tmp_path)), 0, "nowhere", str(tmp_path))
    assert carry_out(task) == 2
    assert capfd.readouterr().err.startswith("error: ")
