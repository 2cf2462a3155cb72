"""A look at a project ends in findings, whatever its process does."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from npt_plugin.hosts import check
from npt_plugin.hosts.check import look_at, run_apart, try_out
from npt_plugin.hosts.trial import UNTRIED, Trial

JOB = """
import os, subprocess, sys, time
what = sys.argv[1]
if what == "leave":
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print(child.pid, file=open("child", "w"))
elif what == "stay":
    time.sleep(60)
elif what == "die":
    os.kill(os.getpid(), 9)
else:
    print("the last word\\n")
    sys.exit(4)
"""


@pytest.fixture
def job(tmp_path, monkeypatch):
    (tmp_path / "a_job.py").write_text(JOB)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return lambda what, limit=60.0: run_apart(["a_job", what], tmp_path, limit)


@pytest.mark.parametrize(
    "what, limit, said",
    [
        ("stay", 0.5, "it did not end within 0.5 s"),
        ("die", 60, "the process was killed by signal 9"),
        ("exit", 60, "the process ended with exit code 4 (the last word)"),
    ],
)
def test_each_end_has_its_words(job, what, limit, said):
    assert job(what, limit) == said


def alive(pid: int) -> bool:
    """Whether a process runs; a dead one that nobody has waited for does not."""
    status = Path(f"/proc/{pid}/status")
    if status.parent.parent.is_dir() and any(status.parent.parent.iterdir()):
        return status.exists() and "State:\tZ" not in status.read_text()
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_a_project_starts_is_ended_too(job, tmp_path):
    job("leave")
    pid = int((tmp_path / "child").read_text())
    until = time.monotonic() + 10
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not alive(pid)


def test_a_look_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("NPT_FRAMEWORK", "minidassl")
    (tmp_path / "train.py").write_text("import dassl.engine, helper\n")
    (tmp_path / "helper.py").write_text("")
    found = look_at(tmp_path / "train.py")
    assert not found.error and found.whose == "ours" and found.trainers == []
    assert sorted(file.name for file in tmp_path.iterdir()) == ["helper.py", "train.py"]


def test_no_report_is_a_finding(tmp_path, monkeypatch):
    monkeypatch.setenv("NPT_FRAMEWORK", "minidassl")
    (tmp_path / "train.py").write_text("import os; os._exit(5)\n")
    found = look_at(tmp_path / "train.py")
    said = "while its script was imported, the process ended with exit code 5"
    assert found.error.startswith(said) and not found.dassl


def test_a_proof_that_breaks_off_says_where(tmp_path, monkeypatch):
    reports = ["", '{"doing": "while it trained"}', '{"verdict": "holds", "said": "all"}']

    def run(words, folder, limit):
        report = reports.pop(0)
        if report:
            Path(words[3]).write_text(report)
        return "it was killed"

    monkeypatch.setattr(check, "run_apart", run)
    found = [try_out(tmp_path / "train.py", "Mine") for _ in range(3)]
    assert found == [
        Trial(UNTRIED, "at its start, it was killed"),
        Trial(UNTRIED, "while it trained, it was killed"),
        Trial("holds", "all"),
    ]


def test_ctrl_c_ends_the_process_too(tmp_path, monkeypatch):
    ended = []
    monkeypatch.setattr(check, "_end", ended.append)

    class Process:
        def __init__(self, *args, **kwargs):
            pass

        def wait(self, timeout):
            raise KeyboardInterrupt

    monkeypatch.setattr(check.subprocess, "Popen", Process)
    with pytest.raises(KeyboardInterrupt):
        run_apart(["a_job"], tmp_path, 9.0)
    assert len(ended) == 1
