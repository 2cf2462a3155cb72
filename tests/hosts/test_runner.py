"""``python -m npt_plugin TRAIN.py``: the script runs as itself, with our keys and trainers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
import json, os, sys
from dassl.config import get_cfg_default
from dassl.engine import TRAINER_REGISTRY, TrainerX, build_trainer
import datasets                                             # the project's own package
from npt_plugin.errors import UserError

@TRAINER_REGISTRY.register()
class Mine(TrainerX):
    pass

def extend_cfg(cfg):
    from yacs.config import CfgNode as CN
    cfg.TRAINER.MINE = CN()
    cfg.TRAINER.MINE.DEPTH = 3

if __name__ == "__main__":
    if "--fail" in sys.argv:
        raise UserError("One sentence.")
    if "--data" in sys.argv:
        from dassl.utils import read_image
        read_image("no/such.jpg")
    if "--config" in sys.argv:
        build_trainer(get_cfg_default())
    if "--bug" in sys.argv:
        raise KeyError("mine")
    if "--exit" in sys.argv:
        sys.exit(3)
    cfg = get_cfg_default()
    extend_cfg(cfg)
    cfg.merge_from_list(["TRAINER.NPT.LAMBDA_LC", 0.5, "DATASET.IMBALANCE.RATIO", 0.1])
    print(json.dumps({
        "argv": sys.argv, "cwd": os.getcwd(), "first": sys.path[0], "datasets": datasets.WHOSE,
        "lambda": cfg.TRAINER.NPT.LAMBDA_LC, "depth": cfg.TRAINER.MINE.DEPTH, "file": __file__,
        "names": TRAINER_REGISTRY.registered_names(),
    }))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "some project"
    (folder / "datasets").mkdir(parents=True)
    (folder / "datasets" / "__init__.py").write_text("WHOSE = 'project'")
    (folder / "train.py").write_text(SCRIPT)
    return folder


def run(cwd: Path, *words: str, **more: str) -> subprocess.CompletedProcess:
    env = {**os.environ, "NPT_FRAMEWORK": "minidassl", "OMP_NUM_THREADS": "1", **more}
    env["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "third_party")])
    command = [sys.executable, "-W", "ignore", "-m", "npt_plugin", *words]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=100)


@pytest.mark.parametrize("place", ["inside", "outside"])
def test_the_script_runs_as_itself(project: Path, tmp_path: Path, place) -> None:
    inside = place == "inside"
    cwd, script = (project, "train.py") if inside else (tmp_path, "some project/train.py")
    done = run(cwd, script, "--seed", "0", "KEY", "value")
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["argv"] == [script, "--seed", "0", "KEY", "value"]
    assert (seen["cwd"], seen["first"]) == (str(cwd), str(project))
    assert (seen["datasets"], seen["lambda"], seen["depth"]) == ("project", 0.5, 3)
    assert {"Mine", "NPT_Mine", "NPT-Mine", "NPT_CoOp", "NPT-MaPLe"} <= set(seen["names"])
    assert not {"CoOp", "CoCoOp", "MaPLe", "VPT", "IVLP"} & set(seen["names"])


@pytest.mark.parametrize(
    "words, code, error",
    [
        (["train.py", "--fail"], 2, "error: One sentence.\n"),
        (["train.py", "--data"], 2, "error: Cannot read the image no/such.jpg ("),
        (["train.py", "--config"], 2, "error: [] is not available; did you mean"),
        (["train.py", "--exit"], 3, ""),
        (["nothing.py"], 2, "error: There is no script nothing.py: give the path"),
    ],
)
def test_exit_codes(project: Path, words, code, error) -> None:
    done = run(project, *words)
    assert done.returncode == code
    assert done.stderr.startswith(error) and "Traceback" not in done.stderr


def test_a_bug_of_the_script_keeps_its_traceback(project: Path) -> None:
    done = run(project, "train.py", "--bug")
    assert done.returncode == 1 and "KeyError: 'mine'" in done.stderr


def test_the_dassl_that_a_project_brings_is_used_and_named(project: Path) -> None:
    """A whole engine under Dassl's name, in a folder of the project."""
    engine = project / "Dassl.ProGrad.pytorch" / "dassl"
    shutil.copytree(ROOT / "third_party" / "minidassl", engine)
    for file in engine.rglob("*.py"):
        file.write_text(file.read_text().replace("minidassl", "dassl"))
    done = run(project, "train.py", NPT_FRAMEWORK="")
    assert done.returncode == 0, done.stderr
    first, last = done.stdout.splitlines()[:: len(done.stdout.splitlines()) - 1]
    assert first == f"NPT: dassl 0.1.0 ({engine})"
    assert {"Mine", "NPT_Mine"} <= set(json.loads(last)["names"])


def test_what_a_project_needs_of_another_dassl_is_said(project: Path) -> None:
    (project / "train.py").write_text(
        "import dassl.engine\nfrom dassl.modeling import build_head\n"
    )
    done = run(project, "train.py")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr.startswith("error: This project's import fails (No module named 'dassl.mod")
    assert "minidassl 0.1.0, our stand-in for Dassl" in done.stdout
