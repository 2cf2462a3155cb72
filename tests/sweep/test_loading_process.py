"""A process that is forked from one that has loaded what it needs."""

import gc
import os
import signal
import subprocess
import sys
import tempfile

import pytest

from npt_plugin.sweep.loading_process import forked, started
from npt_plugin.sweep.nursery import FORKS

fcntl = pytest.importorskip("fcntl")
pytestmark = pytest.mark.skipif(not FORKS, reason="no fork")

MODULE = """
import os, sys, time
def main():
    exec(sys.stdin.readline())
    sys.stdout.flush()
    os._exit(0)
if __name__ == "__main__":
    main()
"""


@pytest.fixture
def begin(tmp_path, monkeypatch):
    """``begin(how, "a line of Python")``: the process and, once it has ended, what it said."""
    (tmp_path / "a_module.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    variables = {**os.environ, "PYTHONPATH": str(tmp_path), "OURS": "theirs"}

    def call(how, line):
        said = tempfile.TemporaryFile()
        reading, writing = os.pipe()
        with os.fdopen(writing, "wb") as asked:
            asked.write(line.encode() + b"\n")
        process = how("a_module", variables, reading, said.fileno())
        os.close(reading)

        def text():
            process.wait()
            said.seek(0)
            return said.read().decode()

        return process, text

    yield call
    sys.modules.pop("a_module", None)


@pytest.mark.parametrize("how", [started, forked])
def test_it_has_its_own_files_and_environment(begin, how, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)  # as of a process without a terminal
    low = os.open(os.devnull, os.O_RDONLY)
    open_file = fcntl.fcntl(low, fcntl.F_DUPFD, low + 200)
    line = f"print(os.environ['OURS'], sys.stdout.isatty()); os.fstat({open_file})"
    process, text = begin(how, line)
    assert text().splitlines()[0] == "theirs False" and "Bad file descriptor" in text()
    assert process.poll() == process.wait() == 1
    assert "OURS" not in os.environ and os.fstat(open_file)
    os.close(open_file)
    os.close(low)


@pytest.mark.parametrize("how", [started, forked])
def test_how_it_ends(begin, how):
    assert begin(how, "")[0].wait() == 0
    process, text = begin(how, "raise ValueError('a mistake')")
    assert process.wait() == 1 and text().splitlines()[-1] == "ValueError: a mistake"
    process, _ = begin(how, "time.sleep(60)")
    assert process.poll() is None
    process.kill()
    assert process.wait() == process.poll() == -signal.SIGKILL
    process.kill()  # nothing happens


def test_what_was_not_yet_written_is_written_once(tmp_path):
    (tmp_path / "a_module.py").write_text(MODULE)
    code = (
        "import os\n"
        "from npt_plugin.sweep.loading_process import forked\n"
        "print('waits in a buffer')\n"
        "forked('a_module', dict(os.environ), os.open(os.devnull, 0), 1).wait()\n"
    )
    paths = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": paths}, capture_output=True
    )
    assert done.stdout.split() == b"waits in a buffer".split(), done.stderr


def test_what_cannot_be_imported_leaves_no_process_and_the_environment(monkeypatch):
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("a process"))
    before = dict(os.environ)
    with pytest.raises(ModuleNotFoundError, match="a_module_that_is_absent"):
        forked("a_module_that_is_absent", {"PATH": "/"}, 0, 1)
    assert dict(os.environ) == before and gc.isenabled()
