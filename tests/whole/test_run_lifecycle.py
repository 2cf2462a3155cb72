"""Runs that end badly: broken disks and signals."""

import errno
import os
import signal
import time

import pytest

from npt_plugin.runs.layout import CONFIG, RESULTS
from npt_plugin.runs.record import read_record
from npt_plugin.system.locks import LOCK


def test_a_folder_that_cannot_be_made_is_one_sentence(train_here, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    done = train_here("--trainer", "CoOp", "--output-dir", str(tmp_path / "file" / "out"))
    assert done.returncode == 2 and "Cannot write" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("after", [0, 3])
def test_a_full_disk_is_one_sentence_and_leaves_no_half_file(
    train_here, tmp_path, monkeypatch, after
):
    calls, fsync = [], os.fsync

    def full(handle):
        calls.append(handle)
        if len(calls) > after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", full)
    done = train_here("--trainer", "CoOp", "--seed", "1", "--output-dir", str(tmp_path / "out"))
    assert done.returncode == 2 and "No space left" in done.stderr
    assert "Traceback" not in done.stderr
    assert not [p for p in (tmp_path / "out").rglob(".*.*") if p.is_file()]


def test_what_a_run_leaves_is_on_the_disk(train_here, tmp_path, monkeypatch):
    """What its start had noted need not be, and is written again."""
    waited, fsync = [], os.fsync

    def identity(found):
        return found.st_ino, found.st_mtime_ns  # a number alone is given again

    def wait(handle):
        waited.append(identity(os.fstat(handle)))  # a file keeps it as it takes its name
        fsync(handle)

    monkeypatch.setattr(os, "fsync", wait)
    out = tmp_path / "out"
    assert train_here("--trainer", "CoOp", "--seed", "1", "--output-dir", str(out)).returncode == 0
    files = [out / CONFIG, out / RESULTS, *out.rglob("model.pth.tar-*")]
    assert len(files) == 3
    for file in files:
        assert identity(file.stat()) in waited, file


@pytest.mark.slow
def test_sigterm_ends_a_real_run_with_143(start_train_py, tmp_path):
    out = tmp_path / "out"
    words = ["--trainer", "CoOp", "--seed", "1", "--output-dir", str(out)]
    long = ("OPTIM.MAX_EPOCH", "400")
    process = start_train_py(*words, options=long)
    limit = time.time() + 60
    while not (out / "progress.npt").exists() and process.poll() is None and time.time() < limit:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 143, err
    assert err.strip().splitlines()[-1] == "error: interrupted by SIGTERM"
    record = read_record(out / RESULTS)
    assert record.status == "failed" and "SIGTERM" in record.reason and record.history
    assert not (out / LOCK).exists()
