"""Peaks of memory are in MiB, and see what was allocated."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest
import torch

from npt_plugin.system import memory
from npt_plugin.system.memory import peak_memory


@pytest.mark.skipif(sys.platform == "win32", reason="the system does not count")
def test_the_process_peak_grows_by_what_is_touched():
    code = (
        "import torch; from npt_plugin.system.memory import peak_memory\n"
        "before = peak_memory()['process_mib']\n"
        "touched = torch.ones(int(before + 200) * 2**18)\n"  # float32: 2**18 are a MiB
        "print(before, peak_memory()['process_mib'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, after = map(float, done.stdout.split())
    assert before + 199 < after < 2 * before + 300


def test_the_device_has_a_peak_only_where_there_is_one(monkeypatch):
    assert (peak_memory()["device_mib"] is None) == (not torch.cuda.is_available())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 3 * 2**20 + 2**19)
    assert peak_memory()["device_mib"] == 3.5


def test_without_a_counter_the_process_peak_is_unknown(monkeypatch):
    monkeypatch.setattr(memory.sys, "platform", "win32")
    assert peak_memory()["process_mib"] is None


FAULTS = """
import resource, torch
from npt_plugin.system.memory import keep_freed_memory
if {keep}:
    keep_freed_memory()
x = torch.randn(2**21)  # 8 MiB
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(40):
        many = [x * i for i in range(6)]; del many
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(faults())
"""


@pytest.mark.skipif("glibc" not in platform.libc_ver(), reason="another C library")
def test_freed_memory_is_kept_as_long_as_the_user_says_nothing_else():
    def faults(keep, **variables):
        command = [sys.executable, "-c", FAULTS.format(keep=keep)]
        environment = {**os.environ, **variables, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return int(done.stdout)

    own = {"MALLOC_TRIM_THRESHOLD_": "5", "MALLOC_MMAP_THRESHOLD_": "5000"}
    assert 10 * faults(True) < min(faults(False), faults(False, **own), faults(True, **own))
