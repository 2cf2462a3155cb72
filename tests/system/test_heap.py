"""Freed memory stays with the process where the C library can be told so."""

import ctypes
import sys
from types import SimpleNamespace

import pytest

from npt_plugin.system import heap


@pytest.fixture
def fresh():
    """The decision is made once a process; here it is made anew, before and after."""
    heap.keep_freed_memory.cache_clear()
    yield heap.keep_freed_memory
    heap.keep_freed_memory.cache_clear()


def test_glibc_is_told_once_what_stays(fresh, monkeypatch):
    told = {}
    library = SimpleNamespace(mallopt=lambda number, value: told.update({number: value}) or 1)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    assert fresh() and told == {-1: 512 * 2**20, -3: 32 * 2**20}
    told.clear()
    assert fresh() and not told


def test_another_system_or_c_library_is_left_alone(fresh, monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace())
    assert fresh() is False
    fresh.cache_clear()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert fresh() is False


def test_a_trainer_on_the_cpu_asks_for_it(fresh, make_trainer):
    make_trainer("CoOp")
    assert heap.keep_freed_memory.cache_info().currsize == 1
