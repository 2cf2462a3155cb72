"""``classify.py``, the program that ``npt export`` writes, in a process without this package."""

import subprocess
import sys

import pytest

from npt_plugin.cli import main as cli
from npt_plugin.cli.export import PROGRAM
from npt_plugin.predictor import Predictor

WITHOUT_US = (
    "import sys, runpy; sys.modules['npt_plugin'] = None; sys.argv = sys.argv[1:];"
    "runpy.run_path(sys.argv[0], run_name='__main__')"
)


@pytest.fixture
def classify(tmp_path):
    """``classify(run, *images)``: export the run, then its program in a process of its own."""

    def call(run, *images):
        assert cli.main(["export", str(run), "--output", str(tmp_path / "export")]) == 0
        program = str(tmp_path / "export" / PROGRAM)
        return subprocess.run(
            [sys.executable, "-W", "ignore", "-c", WITHOUT_US, program, *map(str, images)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={"OMP_NUM_THREADS": "1"},
        )

    return call


def says_the_same(done, run, images):
    """The exported program's first names and probabilities are the predictor's."""
    ours = Predictor.from_run(run).top_k(images, k=1)
    for line, row in zip(done.stdout.splitlines(), ours, strict=True):
        name, p = line.split("\t")[1].rsplit(" ", 1)
        assert name == row[0][0] and float(p) == pytest.approx(row[0][1], abs=1e-4)


def test_the_export_classifies_without_this_package(run, images, deepened, tmp_path, classify):
    deepened(images[0], tmp_path / "deep.png")
    (tmp_path / "notes.txt").write_text("not an image")
    good = [tmp_path / "deep.png", *images[:3]]
    done = classify(run, *good[:2], tmp_path / "notes.txt", tmp_path / "none.png", *good[2:])
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert [
        line.partition(" cannot be read as an image ")[0] for line in done.stderr.splitlines()
    ] == [f"error: {tmp_path / 'notes.txt'}", f"error: {tmp_path / 'none.png'}"]
    says_the_same(done, run, good)


@pytest.mark.parametrize("headed_run", ["probe"], indirect=True)
def test_a_cosine_probe_exports(headed_run, images, classify):
    done = classify(headed_run, *images[:4])
    assert done.returncode == 0, done.stderr
    says_the_same(done, headed_run, images[:4])
    none = classify(headed_run)
    assert none.returncode == 2 and none.stderr.startswith("error: no image was given")
