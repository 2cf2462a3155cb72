import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from npt_plugin.embedded import writing
from npt_plugin.embedded.benchmarks import BENCHMARKS, ensure_benchmarks
from npt_plugin.embedded.writing import MANIFEST
from npt_plugin.errors import UserError

TINY = (2, 1, 1)
NAME, SPEC = "EmbeddedOverhead", BENCHMARKS["EmbeddedOverhead"]


def _stamp(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_layout_split_and_pictures(tmp_path):
    ensure_benchmarks(tmp_path, [NAME], TINY)
    folder = tmp_path / SPEC.directory
    split = json.loads((folder / f"split_zhou_{NAME}.json").read_text())
    assert [len(split[part]) for part in ("train", "val", "test")] == [64, 32, 32]
    seen = set()
    for part in split.values():
        for path, label, name in part:
            assert SPEC.class_names[label] == name and path not in seen
            seen.add(path)
            with Image.open(folder / "images" / path) as image:
                assert image.size == (48, 48) and image.mode == "RGB"
    assert len(seen) == sum(TINY) * 32
    path, label, _ = split["train"][1]
    pixels = np.asarray(Image.open(folder / "images" / path), dtype=float)
    assert np.abs(pixels - SPEC.picture(label, 1)).mean() < 6  # JPEG keeps the drawing
    assert os.listdir(tmp_path) == [SPEC.directory]  # no building folder left


def test_second_call_writes_nothing(tmp_path):
    ensure_benchmarks(tmp_path, [NAME], TINY)
    before = _stamp(tmp_path)
    ensure_benchmarks(tmp_path, [NAME], TINY)
    assert _stamp(tmp_path) == before


@pytest.mark.parametrize("damage", ["picture", "split", "version"])
def test_incomplete_benchmark_is_drawn_again(tmp_path, damage):
    ensure_benchmarks(tmp_path, [NAME], (1, 1, 1))
    folder = tmp_path / SPEC.directory
    wanted = {path.relative_to(folder) for path in _stamp(folder)}
    if damage == "picture":
        next((folder / "images").rglob("*.jpg")).unlink()
    elif damage == "split":
        (folder / f"split_zhou_{NAME}.json").unlink()
    else:
        (folder / MANIFEST).write_text('{"version": 0}')
    ensure_benchmarks(tmp_path, [NAME], (1, 1, 1))
    assert {path.relative_to(folder) for path in _stamp(folder)} == wanted


def test_killed_run_leaves_nothing_that_looks_finished(tmp_path):
    code = (
        "import os, sys\n"
        "from npt_plugin.embedded import writing\n"
        "from npt_plugin.embedded.benchmarks import ensure_benchmarks\n"
        "real = writing.Image.fromarray\n"
        "count = []\n"
        "def stop(array):\n"
        "    count.append(1)\n"
        "    if len(count) > 20: os._exit(9)\n"
        "    return real(array)\n"
        "writing.Image.fromarray = stop\n"
        f"ensure_benchmarks(sys.argv[1], [{NAME!r}], {(1, 1, 1)})\n"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code, str(tmp_path)])
    assert done.returncode == 9
    assert not (tmp_path / SPEC.directory).exists()
    left = list(tmp_path.iterdir())
    assert len(left) == 1  # the killed run's hidden building folder
    os.utime(left[0], (0, 0))  # long ago
    ensure_benchmarks(tmp_path, [NAME], (1, 1, 1))
    assert os.listdir(tmp_path) == [SPEC.directory]


def test_another_process_that_finishes_first_wins(tmp_path, monkeypatch):
    real = writing._fill

    def slow_fill(work, spec, per_class):
        real(work, spec, per_class)
        monkeypatch.setattr(writing, "_fill", real)
        ensure_benchmarks(tmp_path, [NAME], (1, 1, 1))  # meanwhile

    monkeypatch.setattr(writing, "_fill", slow_fill)
    ensure_benchmarks(tmp_path, [NAME], (1, 1, 1))
    assert os.listdir(tmp_path) == [SPEC.directory]
    assert writing.is_complete(tmp_path / SPEC.directory, SPEC, (1, 1, 1))


def test_user_errors(tmp_path):
    with pytest.raises(UserError, match="EmbeddedObjects"):
        ensure_benchmarks(tmp_path, ["EmbeddedObject"])
    mine = tmp_path / SPEC.directory
    mine.mkdir()
    (mine / "thesis.txt").write_text("precious")
    with pytest.raises(UserError, match="not written by npt_plugin"):
        ensure_benchmarks(tmp_path, [NAME], TINY)
    assert (mine / "thesis.txt").read_text() == "precious"
