"""The process that imports a project: its report, in every case."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from npt_plugin.hosts.probe import Findings

ROOT = Path(__file__).resolve().parents[2]
MINE = """
from dassl.engine import TRAINER_REGISTRY, TrainerX

@TRAINER_REGISTRY.register()
class Mine(TrainerX):
    def forward_backward(self, batch):
        self.image_encoder = self.text_encoder = batch
"""


def look(folder: Path, source: str) -> Findings:
    (folder / "train.py").write_text(source)
    report = folder / "report.json"
    env = {**os.environ, "NPT_FRAMEWORK": "minidassl", "OMP_NUM_THREADS": "1"}
    env["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "third_party")])
    words = ["-m", "npt_plugin.hosts.probe", str(folder / "train.py"), str(report)]
    subprocess.run([sys.executable, *words], cwd=folder, env=env, check=True, timeout=100)
    return Findings(**json.loads(report.read_text()))


def test_a_trainer_of_the_script_itself_is_described_and_main_does_not_run(tmp_path):
    found = look(tmp_path, MINE + "if __name__ == '__main__':\n    open('ran', 'w')\n")
    assert not found.error and [row[0] for row in found.trainers] == ["Mine"]
    assert found.trainers[0][1] == "its own, wrapped"
    assert found.dassl.startswith("minidassl") and found.whose == "ours"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "end, said",
    [
        ("raise KeyError('x')", "KeyError: 'x'"),
        ("import not_there_at_all", "imports not_there_at_all"),
        ("raise SystemExit(3)", "its script ends while it is imported (exit code 3)"),
    ],
)
def test_what_was_registered_before_an_error_is_described(tmp_path, end, said):
    found = look(tmp_path, MINE + end)
    assert said in found.error
    assert [row[0] for row in found.trainers] == ["Mine"]
