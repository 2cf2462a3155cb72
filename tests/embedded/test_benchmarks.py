import os
import subprocess
import sys

import pytest

from npt_plugin.embedded import benchmarks
from npt_plugin.embedded.benchmarks import BENCHMARKS, ensure_benchmarks, main
from npt_plugin.errors import UserError


@pytest.fixture
def written(monkeypatch):
    """The names asked for, instead of pictures."""
    asked = []
    monkeypatch.setattr(benchmarks, "ensure_one", lambda root, name, n: asked.append((name, n)))
    return asked


def test_all_are_written_unless_some_are_named(tmp_path, written):
    ensure_benchmarks(tmp_path)
    assert [name for name, _ in written] == list(BENCHMARKS)
    written.clear()
    ensure_benchmarks(str(tmp_path), ["EmbeddedPairs"], (3, 2, 1))
    assert written == [("EmbeddedPairs", (3, 2, 1))]


def test_the_command_writes_those_that_are_named(tmp_path, written):
    assert main(["--root", str(tmp_path), "--names", "EmbeddedPairs", "EmbeddedShades"]) == 0
    assert [name for name, _ in written] == ["EmbeddedPairs", "EmbeddedShades"]


def test_an_unknown_name_ends_in_one_sentence(tmp_path, capsys):
    assert main(["--root", str(tmp_path), "--names", "EmbeddedObject"]) == 2
    err = capsys.readouterr().err
    assert "EmbeddedObjects" in err and err.count("\n") == 1
    assert os.listdir(tmp_path) == []
    with pytest.raises(UserError, match="EmbeddedObjects"):
        ensure_benchmarks(tmp_path, ["EmbeddedObject"])


def test_without_a_folder_the_command_says_what_to_give(capsys):
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2 and "--root" in capsys.readouterr().err


def test_drawing_needs_neither_torch_nor_scikit_learn():
    """Reading the list of benchmarks is part of starting ``npt``; ``-m`` must not warn."""
    code = (
        "import sys, npt_plugin.embedded.benchmarks\n"
        "print([name for name in ('torch', 'clip', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
    command = [sys.executable, "-W", "error", "-m", "npt_plugin.embedded.benchmarks", "--help"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and "--root" in done.stdout, done.stderr
