"""What runs share: computed once, by one process at a time, and never trusted blindly."""

import multiprocessing
import os
import signal
import time

import pytest
import torch

from npt_plugin.system import shared
from npt_plugin.system.shared import Shared, sharing

KEY = "all that it depends on"


def numbers():
    return {
        "features": torch.arange(6.0).view(2, 3),
        "state": torch.tensor([3, 1], dtype=torch.uint8),
    }


def test_what_one_has_computed_the_next_reads(tmp_path):
    made = []

    def make():
        made.append(1)
        return numbers()

    first = Shared(tmp_path / "new").recall(KEY, make)
    again = Shared(tmp_path / "new").recall(KEY, make)
    Shared(tmp_path / "new").recall("something else", make)
    assert len(made) == 2
    for name, tensor in numbers().items():
        assert torch.equal(first[name], tensor) and torch.equal(again[name], tensor)
        assert again[name].dtype == tensor.dtype
    again["features"].zero_()  # memory of its own
    assert Shared(tmp_path / "new").look(KEY)["features"].sum() == 15


def test_nobody_waits_until_the_disk_has_it(tmp_path, monkeypatch):
    monkeypatch.setattr("os.fsync", lambda number: pytest.fail("waits"))
    Shared(tmp_path).keep(KEY, numbers())
    assert Shared(tmp_path).has(KEY)


@pytest.mark.parametrize("cut", [0, 1, 40, 64, 200])
def test_a_damaged_file_is_computed_again(tmp_path, cut):
    common = Shared(tmp_path)
    common.keep(KEY, numbers())
    (file,) = tmp_path.glob("*.bin")
    whole = file.read_bytes()
    file.write_bytes(whole[:cut] + bytes([whole[cut] ^ 1]) + whole[cut + 1 :])
    assert common.look(KEY) is None and not file.exists()
    assert torch.equal(common.recall(KEY, numbers)["features"], numbers()["features"])
    file.write_bytes(whole[:-cut] if cut else b"")
    assert common.look(KEY) is None


def test_a_claim_is_one_process_s_and_ends_with_it(tmp_path):
    fork = multiprocessing.get_context("fork")
    ready = fork.Event()

    def hold():
        end = Shared(tmp_path).claim(KEY)
        ready.set()
        time.sleep(60)
        end()

    holder = fork.Process(target=hold)
    holder.start()
    assert ready.wait(20)
    common = Shared(tmp_path)
    assert common.claim(KEY) is None
    other = common.claim("something else")
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    mine = common.claim(KEY, wait=True)
    mine()
    other()
    assert common.claim(KEY) is not None


def test_of_two_that_want_the_same_one_computes(tmp_path):
    fork = multiprocessing.get_context("fork")
    log = tmp_path / "log"

    def make():
        with open(log, "a") as file:
            file.write("made\n")
        time.sleep(0.2)
        return numbers()

    both = [fork.Process(target=lambda: Shared(tmp_path).recall(KEY, make)) for _ in range(4)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert log.read_text() == "made\n" and [p.exitcode for p in both] == [0] * 4


def test_without_locks_everybody_computes(tmp_path, monkeypatch):
    def refuse(self, **_):
        raise OSError("no locks here")

    monkeypatch.setattr(shared.FileLock, "acquire", refuse)
    assert Shared(tmp_path).recall(KEY, numbers)["features"].sum() == 15


def test_only_inside_the_block_something_is_shared(tmp_path):
    assert shared.current() is None
    with sharing(tmp_path):
        assert shared.current().folder == tmp_path
        with sharing(tmp_path / "inner"):
            assert shared.current().folder == tmp_path / "inner"
        assert shared.current().folder == tmp_path
    assert shared.current() is None
