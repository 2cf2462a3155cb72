"""Every command that reads a run does so as its user calls it: nothing was loaded before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

COMMANDS = {
    "eval": ["eval", "--run", "RUN", "--classes", "base", "--output-dir", "OUT"],
    "export": ["export", "RUN", "--output", "OUT"],
    "plot": ["plot", "RUN", "--only", "training", "--output", "OUT"],
    "predict": ["predict", "RUN", "IMAGE"],
    "report": ["report", "RUN", "--no-plots"],
    "words": ["words", "RUN"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_in_a_process_of_its_own(name, run, images, tmp_path):
    if name == "plot":
        pytest.importorskip("matplotlib")
    places = {"RUN": str(run), "OUT": str(tmp_path / "out"), "IMAGE": str(images[0])}
    words = [places.get(word, word) for word in COMMANDS[name]]
    paths = os.pathsep.join((str(ROOT), str(ROOT / "third_party")))
    env = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    call = [sys.executable, "-m", "npt_plugin", *words]
    done = subprocess.run(call, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout and not set("\r\x1b") & set(done.stdout + done.stderr)
