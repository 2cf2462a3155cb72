"""One run in a folder; the lock of a dead process, whatever it left, is no obstacle."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from npt_plugin.errors import UserError
from npt_plugin.system.locks import LOCK, run_lock

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX's rights and signals")

HOLD = """
import os, sys, time
from npt_plugin.system.locks import run_lock
alive, tell = os.pipe()
with run_lock(sys.argv[1]):
    if "fork" in sys.argv and os.fork() == 0:  # a worker of a data loader, which outlives the run
        sys.stdout.close()
        os.close(tell)
        time.sleep(20)
        os._exit(0)
    os.close(tell)
    os.read(alive, 1)  # until the worker runs: only then has it let go of what it inherited
    print("held", flush=True)
    time.sleep(60)
"""


def hold(folder: Path, *words: str) -> subprocess.Popen:
    command = [sys.executable, "-c", HOLD, str(folder), *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()
    process.stdout.close()


def refused(folder: Path) -> str:
    with pytest.raises(UserError) as error, run_lock(folder):
        pass
    return str(error.value)


def test_two_runs_cannot_share_a_folder(tmp_path):
    folder = tmp_path / "run"
    with run_lock(folder):
        said = refused(folder)
        assert f"{folder} is in use by process {os.getpid()} on {socket.gethostname()}" in said
        assert "wait for it, or give another --output-dir" in said
        assert refused(folder) == said  # who was refused has not wiped out the name
        (folder / "kept").touch()
    assert [p.name for p in folder.iterdir()] == ["kept"]
    with run_lock(folder):  # free again
        pass


@posix
@pytest.mark.parametrize("words", [(), ("fork",)])
def test_the_lock_ends_with_its_process(tmp_path, words):
    process = hold(tmp_path, *words)
    try:
        assert f"in use by process {process.pid}" in refused(tmp_path)
    finally:
        end(process)
    try:
        assert (tmp_path / LOCK).exists()
        with run_lock(tmp_path):
            assert json.loads((tmp_path / LOCK).read_text())["pid"] == os.getpid()
    finally:
        if words:
            os.killpg(process.pid, signal.SIGKILL)
    assert not (tmp_path / LOCK).exists()


@pytest.mark.parametrize("left", [b"", b"{half a fi", b"\xff\xfe", b'{"pid": 1, "host": "h"}'])
def test_what_a_killed_run_left_is_no_obstacle(tmp_path, left):
    (tmp_path / LOCK).write_bytes(left)
    with run_lock(tmp_path):
        assert "in use by process" in refused(tmp_path)
    assert not (tmp_path / LOCK).exists()


@posix
@pytest.mark.parametrize("left", [b"", b"{half", b'{"pid": "x", "host": 1}', b"[1]"])
def test_an_unknown_holder_is_another_process(tmp_path, left):
    (tmp_path / LOCK).write_bytes(left)
    with FileLock(tmp_path / LOCK):
        assert "is in use by another process: wait" in refused(tmp_path)


def test_a_folder_that_was_made_and_stayed_empty_is_removed(tmp_path):
    (tmp_path / "there").mkdir()
    for name in ("new", "there"):
        with pytest.raises(ZeroDivisionError), run_lock(tmp_path / name):
            1 / 0  # noqa: B018
    assert [p.name for p in tmp_path.iterdir()] == ["there"]


def test_a_folder_may_vanish_during_the_run(tmp_path):
    with run_lock(tmp_path / "run"):
        (tmp_path / "run" / LOCK).unlink()
        (tmp_path / "run").rmdir()
    assert not list(tmp_path.iterdir())


def test_no_folder_is_no_lock(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with run_lock(""), run_lock(""):
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("what", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path, monkeypatch, what):
    def fail(self, **_):
        raise OSError(what, os.strerror(what), str(tmp_path / LOCK))

    monkeypatch.setattr(FileLock, "acquire", fail)
    said = refused(tmp_path)
    assert said == f"Cannot write {tmp_path}: {os.strerror(what)}; give another --output-dir."


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write it")
def test_a_read_only_folder_is_the_same_sentence(tmp_path):
    tmp_path.chmod(0o500)
    assert refused(tmp_path).startswith(f"Cannot write {tmp_path}: Permission denied")


def test_a_file_in_the_folders_place_is_the_same_sentence(tmp_path):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "out"):
        assert refused(folder).startswith(f"Cannot write {folder}: ")


def test_a_disk_without_locks_is_said_and_used(tmp_path, monkeypatch, capsys):
    def fail(self, **_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(FileLock, "acquire", fail)
    with run_lock(tmp_path):
        assert "cannot be locked: start no second run in it" in capsys.readouterr().err
