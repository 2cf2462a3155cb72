"""``npt_plugin`` comes and goes without a trace: all of Dassl, PyTorch and Python is compared."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import host_world
import pytest

from npt_plugin.engine.replaced import ADDED, REPLACED

pytestmark = pytest.mark.slow

UPSTREAM = pytest.mark.skipif(bool(host_world.missing()), reason=host_world.missing() or "-")
OFFERED = {  # what a package does to take entries: its own lists, which undoing empties again
    "minidassl": {
        "DATASET_REGISTRY._listeners",
        "TRAINER_REGISTRY._listeners",
        "SimpleTrainer on_build",
        "minidassl.data.extension._extension",
    },
    "dassl": {"torch safe", "torch._weights_only_unpickler._marked_safe_globals_set"},
}
NAMES = {  # the registries with our names in them
    "minidassl": {"DATASET_REGISTRY._objects", "TRAINER_REGISTRY._objects"},
    "dassl": {"DATASET_REGISTRY._obj_map", "TRAINER_REGISTRY._obj_map"},
}
ONCE = {"os environ", "random rng", "warnings filters"}
"""What packages change that we import and Dassl does not: scikit-learn, joblib."""


@pytest.mark.parametrize("engine", ["minidassl", pytest.param("dassl", marks=UPSTREAM)])
def test_nothing_is_left_behind_and_the_list_is_all(engine: str) -> None:
    env = {**os.environ, "NPT_FRAMEWORK": engine, "OMP_NUM_THREADS": "1"}
    root = host_world.ROOT
    paths = [str(root), str(root / "third_party")]
    if engine == "dassl":
        paths.append(str(Path(host_world.HOSTS, "Dassl.pytorch")))
    env["PYTHONPATH"] = os.pathsep.join(paths)
    job = str(host_world.HERE / "namespace_job.py")
    command = [sys.executable, "-W", "ignore", job, engine]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    stages = json.loads(done.stdout.splitlines()[-1])
    assert stages["import"] == ["sys meta_path"]
    assert set(stages["came and went"]) <= ONCE
    assert stages["unregister 1"] == stages["unregister 2"] == []
    assert stages["register 1"] == stages["register 2"]
    changed = set(stages["register 1"]) - OFFERED[engine] - NAMES[engine] - {"sys meta_path"}
    listed = tuple(label for label in REPLACED if not label.startswith("Registry."))
    unlisted = [name for name in changed if not any(f"{label}" in name for label in listed)]
    assert unlisted == [] and bool(changed) == (engine == "dassl")


def test_the_lists_name_each_thing_once() -> None:
    assert len(set(REPLACED)) == len(REPLACED) and len(set(ADDED)) == len(ADDED)
