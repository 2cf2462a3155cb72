"""The process that has everything loaded, and the servers that are forked from it."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from npt_plugin.sweep import nursery
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.nursery import FORKS, Failed, Nursery
from npt_plugin.sweep.runner import Runner
from npt_plugin.sweep.task import Task

pytestmark = pytest.mark.skipif(not FORKS, reason="no fork")

QUICK = """
import os, signal, sys
from npt_plugin.sweep import server
from npt_plugin.sweep.task import Task
server.preload = lambda: open(f"{os.environ['FOLDER']}/loaded", "a").write("x")
server.keep_freed_memory = lambda: os.environ.update(KEPT="7")
server.read_task = lambda line: line
server.carry_out = lambda task: int(eval(task))
main = server.main
if __name__ == "__main__":
    main()
"""


@pytest.fixture
def environment(tmp_path, monkeypatch):
    (tmp_path / "quick_server.py").write_text(QUICK)
    monkeypatch.setattr(nursery, "MODULE", "quick_server")
    paths = [str(tmp_path), *(part for part in sys.path if part)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "FOLDER": str(tmp_path)}


@pytest.fixture
def ours():
    made = Nursery()
    yield made
    made.close()


@pytest.fixture
def output(tmp_path):
    with open(tmp_path / "output", "ab+", buffering=0) as file:
        yield file


def ask(server, task):
    server.stdin.write(f"{task}\n".encode())
    server.stdin.flush()
    line = server.stdout.readline()
    return int(line) if line else None


def test_everything_is_loaded_once_for_servers_that_differ_in_their_device(
    ours, environment, output, tmp_path
):
    ours.expect(environment)
    servers = [
        ours.server({**environment, "CUDA_VISIBLE_DEVICES": device}, output) for device in "35"
    ]
    task = "int(os.environ['CUDA_VISIBLE_DEVICES'])"
    assert [ask(server, f"{task}") for server in servers] == [3, 5]
    assert ask(servers[0], "int(os.environ['KEPT'])") == 7
    assert (tmp_path / "loaded").read_text() == "x"
    for server in servers:
        server.close()
        ours.ended()
    assert ours._process is None  # its memory is of use to others


def test_another_environment_is_loaded_anew(ours, environment, output, tmp_path):
    first = ours.server(environment, output)
    second = ours.server({**environment, "OMP_NUM_THREADS": "7"}, output)
    assert ask(second, "int(os.environ['OMP_NUM_THREADS'])") == 7
    assert ask(first, "4") == 4  # it does not need what it came from
    assert (tmp_path / "loaded").read_text() == "xx"
    for server in (first, second):
        server.close()


def test_what_libraries_set_as_they_were_imported_here_loads_nothing_anew(
    ours, environment, output, tmp_path
):
    first = ours.server(environment, output)
    assert ask(first, "1") == 1  # it has loaded
    server = ours.server({**environment, "KMP_DUPLICATE_LIB_OK": "True"}, output)
    assert ask(server, "3 + (os.environ['KMP_DUPLICATE_LIB_OK'] == 'True')") == 4  # 1: an error
    assert (tmp_path / "loaded").read_text() == "x"
    fewer = {name: value for name, value in environment.items() if name != "HOME"}
    others = [ours.server(one, output) for one in ({**environment, "NPT_KERNELS": "plain"}, fewer)]
    assert [ask(other, "os.environ.get('NPT_KERNELS') == 'plain'") for other in others] == [1, 0]
    assert (tmp_path / "loaded").read_text() == "xxx"
    for one in (first, server, *others):
        one.close()


def test_importing_a_command_leaves_what_it_sent_for_in_use(environment):
    """The command's own imports set variables; the process started before them must do."""
    code = (
        "import os, sys\n"
        "from npt_plugin.sweep import nursery\n"
        "nursery.MODULE = 'quick_server'\n"
        "nursery.expect_runs()\n"
        "sent_for = nursery.OURS._process.pid\n"
        "import npt_plugin.cli.sweep, npt_plugin.trainers, torchvision\n"
        "nursery.OURS.expect({**os.environ, **nursery.ALONE})\n"
        "sys.exit(nursery.OURS._process.pid != sent_for)"
    )
    for first in ("", "import torch\n"):  # forked, or started beside
        done = subprocess.run([sys.executable, "-c", first + code], env=environment)
        assert done.returncode == 0


def test_a_command_that_comes_first_of_all_loads_once_for_both(environment, tmp_path):
    """Its servers are those of a process of its own, and its environment is what it was."""
    code = (
        "import os, sys\n"
        "from npt_plugin.sweep import nursery\n"
        "nursery.MODULE = 'quick_server'\n"
        "before = dict(os.environ)\n"
        "nursery.expect_runs()\n"
        "assert 'torch' in sys.modules and nursery.OURS._process.pid != os.getpid()\n"
        "assert all(os.environ.get(name) == value for name, value in before.items())\n"
        "assert 'PYTORCH_NVML_BASED_CUDA_CHECK' not in os.environ\n"
        "output = open('output', 'ab+', buffering=0)\n"
        "server = nursery.OURS.server({**os.environ, **nursery.ALONE}, output)\n"
        "task = b'print(os.getppid()) or 4 + int(os.environ[\"OMP_NUM_THREADS\"])\\n'\n"
        "server.stdin.write(task)\n"
        "server.stdin.flush()\n"
        "assert server.stdout.readline() == b'5\\n'\n"
        "server.close()\n"
        "print(server.pid)\n"
        "nursery.OURS.ended()"
    )
    environment = {**environment, "OMP_NUM_THREADS": "2", "CUDA_VISIBLE_DEVICES": "7"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "output").read_text() == done.stdout  # the run's parent is the server
    assert (tmp_path / "loaded").read_text() == "x"


def test_its_death_costs_no_server_and_another_is_started(ours, environment, output):
    first = ours.server(environment, output)
    os.kill(ours._process.pid, signal.SIGKILL)
    ours._process.wait()
    assert ask(first, "1") == 1
    second = ours.server(environment, output)
    assert ask(second, "2") == 2
    for server in (first, second):
        server.close()


def test_a_signal_that_comes_before_a_server_listens_is_not_lost(ours, environment, output):
    for _ in range(20):
        server = ours.server(environment, output)
        server.signal(signal.SIGTERM)
        assert ask(server, "0") == 128 + signal.SIGTERM
        server.close()


def test_signals_to_all_processes_leave_it_and_its_servers_to_whoever_passes_them_on(
    ours, environment, output
):
    server = ours.server(environment, output)
    for number in (signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2):
        server.signal(number)
        os.kill(ours._process.pid, number)
    assert ask(server, "0") == 0
    assert ask(server, "os.kill(os.getpid(), signal.SIGUSR1)") == -signal.SIGUSR1
    another = ours.server(environment, output)
    for one in (server, another):
        one.close()


def test_what_cannot_be_loaded_is_said(ours, environment, output, monkeypatch):
    monkeypatch.setattr(nursery, "MODULE", "a_module_that_is_absent")
    with pytest.raises(Failed, match="a_module_that_is_absent") as error:
        ours.server(environment, output)
    assert error.value.code == 1


def test_one_that_is_killed_as_it_loads_is_a_death_and_no_mistake(environment, monkeypatch):
    monkeypatch.setattr(nursery, "OURS", Nursery())
    runner = Runner(environment, forks=True)
    job = Job("dtd", "CoOp", "cfg", 1)
    threading.Timer(0.2, lambda: nursery.OURS._process.kill()).start()
    outcome = runner.run(Task(job, 0, "configs", ""), lambda: False)
    runner.output.close()
    assert (outcome.state, outcome.cause) == ("died", "SIGKILL")


def test_it_ends_with_the_command_that_sent_for_it(environment, tmp_path):
    code = (
        "from npt_plugin.sweep import nursery\n"
        "nursery.MODULE = 'quick_server'\n"
        "nursery.expect_runs()\n"
        "print(nursery.OURS._process.pid)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    time.sleep(0.1)
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)


def test_sending_for_it_imports_nothing_that_takes_long():
    code = "import sys, npt_plugin.cli.main; print('torch' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False"], done.stderr
