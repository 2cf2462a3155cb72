"""A plan is written once and read anywhere: another folder, another mount, another process."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from every_job import JOBS

from npt_plugin.errors import UserError
from npt_plugin.sweep import plan as plans
from npt_plugin.sweep.plan import Plan, plans_below, read_plan


@pytest.fixture
def plan(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Plan.of(JOBS, Path("configs"))


def test_a_plan_read_in_another_folder_is_the_plan(plan, tmp_path, monkeypatch):
    path = plan.write()
    assert path.parent == tmp_path / "output" / ".sweep"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    for spelled in (path, os.path.relpath(path)):
        assert read_plan(spelled) == plan
    assert all(map(hash, read_plan(path).jobs))
    assert plan.output == tmp_path / "output" and plan.configs == tmp_path / "configs"
    assert [replace(job, output="output") for job in plan.jobs] == JOBS


def test_a_worker_goes_where_relative_paths_mean_what_they_meant(plan, tmp_path, monkeypatch):
    path = plan.write()
    monkeypatch.chdir("/")
    read_plan(path).enter()
    assert Path.cwd() == tmp_path
    with pytest.raises(UserError, match="cannot be entered here"):
        replace(plan, working_dir=tmp_path / "gone").enter()


def test_the_output_folder_is_where_the_plan_lies(plan, tmp_path):
    plan.write()
    (tmp_path / "output").rename(tmp_path / "mounted")
    found = read_plan(plans_below(tmp_path / "mounted")[0])
    assert {job.output for job in found.jobs} == {str(tmp_path / "mounted")}


def test_the_same_command_has_the_same_plan_and_the_last_one_comes_first(plan, tmp_path):
    first = plan.write()
    other = Plan.of(JOBS[:1], Path("configs"))
    second = other.write()
    os.utime(first, (1, 1))
    assert plans_below(tmp_path / "output") == [second, first]
    assert Plan.of(JOBS, Path("configs")).write() == first
    assert plans_below(tmp_path / "output")[0] == first
    assert plans_below(tmp_path / "nothing") == []


def test_a_worker_of_another_version_is_refused_by_both_names(plan, monkeypatch):
    path = plan.write()
    monkeypatch.setattr(plans, "VERSION", "9.9.9")
    found = read_plan(path)  # the status may be asked for
    with pytest.raises(UserError, match=rf"version {plan.version}, this is 9.9.9"):
        found.enter()


@pytest.mark.parametrize("wrong", ["", "[]", '{"version": "1"}', "null", '{"jobs": [3]}'])
def test_what_is_no_plan_is_named(plan, wrong):
    path = plan.write()
    path.write_text(wrong)
    with pytest.raises(UserError, match="cannot be read as the plan of a sweep"):
        read_plan(path)


def test_jobs_of_a_later_version_are_not_cut_down(plan):
    path = plan.write()
    held = json.loads(path.read_text())
    held["jobs"][0]["colour"] = "red"
    path.write_text(json.dumps(held))
    with pytest.raises(UserError, match="unknown: colour"):
        read_plan(path)


def test_one_sweep_has_one_output_folder(tmp_path):
    with pytest.raises(ValueError):
        Plan.of([JOBS[0], replace(JOBS[0], output="another")], tmp_path)
