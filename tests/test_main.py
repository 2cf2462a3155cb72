"""``python -m npt_plugin``: a host's script, or a command."""

import runpy
import subprocess
import sys

import pytest

from npt_plugin import __main__ as entry
from npt_plugin import __version__
from npt_plugin.cli import main as cli
from npt_plugin.hosts import runner


@pytest.mark.parametrize(
    "words, called",
    [
        (["train.py", "--trainer", "X"], "host"),
        (["a folder/main.py"], "host"),
        (["list", "trainers"], "command"),
        (["report", "out/train.py"], "command"),  # not the first word
        ([], "command"),
    ],
)
def test_a_script_runs_as_a_host_and_anything_else_is_a_command(monkeypatch, words, called):
    monkeypatch.setattr(sys, "argv", ["npt_plugin", *words])
    monkeypatch.setattr(runner, "main", lambda argv: ("host", argv))
    monkeypatch.setattr(cli, "main", lambda argv: ("command", argv))
    assert entry.main() == (called, words)


def test_it_ends_with_the_command_s_code(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["npt_plugin", "no-such-command"])
    monkeypatch.delitem(sys.modules, "npt_plugin.__main__")
    with pytest.raises(SystemExit) as stop:
        runpy.run_module("npt_plugin", run_name="__main__")
    assert stop.value.code == 2


def test_as_a_process_it_is_npt():
    call = [sys.executable, "-m", "npt_plugin", "--version"]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    assert __version__ in done.stdout
