"""A worker's hand: how tasks end, with a server that forks and where nothing can be forked."""

import os
import signal
import sys
import threading
import time

import pytest

from npt_plugin.sweep import nursery
from npt_plugin.sweep import runner as runner_module
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.runner import FORKS, Outcome, Runner
from npt_plugin.sweep.task import Task

TASKS = """
import json, os, signal, sys, time, builtins

def carry_out(number, folder):
    with open(f"{folder}/child", "w") as file:
        file.write(str(os.getpid()))
    if number == 1:
        print("first"); print("error: no such folder", file=sys.stderr); return 2
    if number == 2:
        raise RuntimeError("broken")
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 4:
        os.abort()
    if number == 5:
        print("asked from outside"); sys.exit(143)
    if number == 6:
        print(len(getattr(builtins, "mark", "")), os.environ.get("MARK"), os.getcwd() == "/")
        builtins.mark = "here"; os.environ["MARK"] = "set"; os.chdir("/"); return 7
    if number == 7:
        def bye(*_):
            print("finished its step"); sys.exit(143)
        signal.signal(signal.SIGTERM, bye)
        open(f"{folder}/started", "w").close()
        time.sleep(60)
    if number == 8:
        time.sleep(60)
    if number == 9:
        print(os.environ["CUDA_VISIBLE_DEVICES"]); return 3
    return 0

if __name__ == "__main__":
    said = json.loads(sys.stdin.readline())
    sys.exit(carry_out(said["job"]["seed"], said["shared"]))
"""

SERVER = """
from npt_plugin.sweep import server
from played_task import carry_out
server.carry_out = lambda task: carry_out(task.job.seed, task.shared)
server.preload = lambda: None
server.main()
"""


@pytest.fixture(
    scope="module",
    params=[pytest.param(True, marks=pytest.mark.skipif(not FORKS, reason="no fork")), False],
)
def hand(request, tmp_path_factory):
    """Does played tasks: the job's seed says which."""
    folder = tmp_path_factory.mktemp("played")
    (folder / "played_task.py").write_text(TASKS)
    (folder / "played_server.py").write_text(SERVER)
    paths = [str(folder), *(part for part in sys.path if part)]
    environment = {"PYTHONPATH": os.pathsep.join(paths), "CUDA_VISIBLE_DEVICES": "5"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nursery, "MODULE", "played_server")
        patch.setattr(runner_module, "_TASK", "played_task")
        runner = Runner(environment, request.param)
        yield runner
        runner.close()


@pytest.fixture
def go(hand, tmp_path):
    def run(number, stop=lambda: False):
        return hand.run(_task(number, tmp_path), stop)

    return run


def _task(number, folder):
    return Task(Job("dtd", "CoOp", "cfg", number), 0, "configs", str(folder))


def test_ends_of_all_kinds_and_the_next_goes_on(go):
    assert go(0) == Outcome("done")
    assert go(1) == Outcome("failed", "no such folder", 2)
    assert go(2) == Outcome("failed", "RuntimeError: broken", 1)
    killed = go(3)
    assert (killed.state, killed.cause) == ("died", "SIGKILL")
    assert go(4).cause == "SIGABRT"
    asked = go(5)
    assert asked == Outcome("died", "asked from outside", 143) and asked.cause == "exit code 143"
    assert go(0) == Outcome("done")


def test_what_a_task_does_to_its_process_ends_with_it(go):
    assert {go(6).said for _ in range(3)} == {"0 None False"}
    assert go(9).said == "5"  # the environment it was given


def test_a_stop_reaches_the_task_which_ends_as_it_likes(hand, go, tmp_path):
    outcome = go(7, stop=(tmp_path / "started").exists)
    assert outcome == Outcome("stopped", "finished its step", 143)
    if hand.forks:  # it takes nothing new
        assert go(0, stop=lambda: True).state == "stopped"
    hand.close()
    assert go(0) == Outcome("done")


def test_a_signal_to_all_processes_is_a_stop_though_it_reaches_the_run_first(hand, go, tmp_path):
    def late():
        return time.time() > _written(tmp_path / "child") + 1.0

    assert go(5, stop=late) == Outcome("stopped", "asked from outside", 143)
    hand.close()


def _written(path):
    return path.stat().st_mtime if path.exists() else float("inf")


def test_a_process_that_is_killed_takes_its_task_with_it_and_another_is_started(hand, go, tmp_path):
    def kill():
        _child(tmp_path)
        os.kill(hand.process.pid, signal.SIGKILL)

    threading.Thread(target=kill).start()
    assert go(8).cause == "SIGKILL"
    _assert_gone(_child(tmp_path))
    assert go(0) == Outcome("done")


def test_a_task_ends_when_whoever_asked_is_gone(hand, tmp_path):
    if not hand.forks:
        pytest.skip("its parent's end is not seen")
    process = hand._ready()
    process.stdin.write(_task(8, tmp_path).as_json().encode() + b"\n")
    process.stdin.flush()
    child = _child(tmp_path)
    hand.close()
    _assert_gone(child)


@pytest.mark.parametrize("forks", [True, False])
def test_a_process_that_cannot_start_fails_and_does_not_hang(tmp_path, monkeypatch, forks):
    monkeypatch.setattr(nursery, "MODULE", "a_module_that_is_absent")
    monkeypatch.setattr(runner_module, "_TASK", "a_module_that_is_absent")
    outcome = Runner(forks=forks).run(_task(0, tmp_path), lambda: False)
    assert outcome.state == "failed" and "a_module_that_is_absent" in outcome.said


def _child(folder):
    file = folder / "child"
    for _ in range(600):
        if file.exists() and file.read_text():
            return int(file.read_text())
        time.sleep(0.05)
    raise AssertionError("no child")


def _assert_gone(pid):
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError(f"{pid} is still there")
