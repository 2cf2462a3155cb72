"""Every end of a command: which code, which sentence, and when a traceback is right."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys

import pytest
import torch

from npt_plugin.errors import UserError, count_as_user_errors
from npt_plugin.system.exit_codes import exit_code
from npt_plugin.system.signals import Stopped


def failing(error: BaseException):
    def action():
        raise error

    return action


@pytest.mark.parametrize("returned, code", [(None, 0), (3, 3), (True, 0), ("text", 0)])
def test_what_an_action_returns(returned, code, capsys):
    assert exit_code(lambda *words: returned, "a", "b") == code
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "error, code, said",
    [
        (UserError("One\n  sentence."), 2, "One sentence."),
        (KeyboardInterrupt(), 130, "interrupted"),
        (Stopped(signal.SIGINT), 130, "interrupted by SIGINT"),
        (Stopped(signal.SIGTERM), 143, "interrupted by SIGTERM"),
        (FloatingPointError("ce is nan."), 1, "ce is nan."),
        (OSError(errno.ENOSPC, "No space left", "x"), 2, "Cannot read or write x: No space left."),
        (MemoryError(), 1, "Out of memory"),
        (torch.cuda.OutOfMemoryError("CUDA out of memory"), 1, "Out of memory"),
    ],
)
def test_one_sentence_and_a_code(error, code, said, capsys):
    assert exit_code(failing(error)) == code
    line = capsys.readouterr().err
    assert line.startswith(f"error: {said}") and line.count("\n") == 1


@pytest.mark.parametrize("error", [KeyError("x"), RuntimeError("y"), OSError(errno.EINVAL, "z")])
def test_a_fault_of_the_program_keeps_its_traceback(error):
    with pytest.raises(type(error)):
        exit_code(failing(error))


def test_the_engines_errors_count_once_it_says_so(capsys, monkeypatch):
    class BrokenData(Exception):
        pass

    monkeypatch.setattr("npt_plugin.errors._USER_ERRORS", [UserError])
    with pytest.raises(BrokenData):
        exit_code(failing(BrokenData("a.jpg is cut short.")))
    count_as_user_errors(BrokenData)
    assert exit_code(failing(BrokenData("a.jpg is cut short."))) == 2
    assert capsys.readouterr().err == "error: a.jpg is cut short.\n"


@pytest.mark.parametrize("name", ["DataError", "ConfigError"])
def test_minidassls_errors_are_the_users(name, capsys):
    errors = pytest.importorskip("minidassl.errors")
    framework = pytest.importorskip("npt_plugin.engine.framework")
    if framework.BACKEND != "minidassl":
        pytest.skip("upstream Dassl is underneath")
    assert exit_code(failing(getattr(errors, name)("Which, and what to do."))) == 2


def test_a_reader_that_has_seen_enough_is_no_error():
    code = (
        "import sys; from npt_plugin.system.exit_codes import exit_code\n"
        "sys.exit(exit_code(lambda: [print('line', flush=True) for _ in range(10**5)] and 0))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.read(5)
    process.stdout.close()
    assert process.wait(60) == 0 and process.stderr.read() == b""
    process.stderr.close()


def test_nothing_heavy_is_loaded_to_end_in_a_sentence():
    code = (
        "import sys; from npt_plugin.system.exit_codes import exit_code\n"
        "def fail(): raise MemoryError\n"
        "print(exit_code(fail), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1 False\n"


def test_a_torchvision_for_another_torch_is_named(capsys):
    error = RuntimeError("operator torchvision::nms does not exist")
    assert exit_code(failing(error)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "do not fit together" in line and "pip install --force-reinstall" in line
    with pytest.raises(RuntimeError):
        exit_code(failing(RuntimeError("of our own")))
