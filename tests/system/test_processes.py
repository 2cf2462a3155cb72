"""A process is told from a later one of its number, and from one that cannot be seen from here."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from npt_plugin.system import processes
from npt_plugin.system.processes import Process, is_alive, this_process

linux = pytest.mark.skipif(not this_process().start, reason="this system has no /proc")


@linux
def test_this_process_is_alive_and_its_number_reused_is_another():
    me = this_process()
    assert me.pid == os.getpid() and is_alive(me) is True
    assert is_alive(replace(me, start="1")) is False


@linux
def test_a_process_that_was_killed_is_gone_before_anybody_has_asked_for_its_end():
    code = "from npt_plugin.system.processes import *; import dataclasses, json, sys, time\n"
    code += "print(json.dumps(dataclasses.asdict(this_process())), flush=True); time.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    other = Process(**json.loads(child.stdout.readline()))
    assert is_alive(other) is True
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # a zombie
    assert is_alive(other) is False
    child.communicate()
    assert is_alive(other) is False


def test_of_another_machine_container_or_system_nothing_is_known(monkeypatch, tmp_path):
    me = this_process()
    assert is_alive(replace(me, space="another boot")) is None
    assert is_alive(replace(me, space="", start="")) is None
    monkeypatch.setattr(processes, "_PROC", tmp_path)  # macOS, Windows
    assert this_process() == Process(me.host, me.pid) and is_alive(this_process()) is None


@linux
def test_a_hidden_process_of_another_user_may_be_alive(monkeypatch):
    me = this_process()
    monkeypatch.setattr(processes, "_start", lambda pid: "")

    def refuse(pid, signal):
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert is_alive(me) is None
