"""The process that forks: ready for every run, and nothing in it that a fork would break."""

import os
import subprocess
import sys

import pytest

from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import read_record
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.runner import FORKS, Outcome, Runner
from npt_plugin.sweep.task import Task

pytestmark = pytest.mark.skipif(not FORKS, reason="no fork")

READY = """
import sys, threading
import torch
from npt_plugin.sweep import server
server.preload()
before = set(sys.modules)
import torchvision.transforms, torch.utils.tensorboard, npt_plugin.trainers.base
assert set(sys.modules) == before
assert threading.active_count() == 1 and not torch.cuda.is_initialized()
"""


def paths():
    return os.pathsep.join(part for part in sys.path if part)


def test_loading_everything_starts_no_thread_and_touches_no_device():
    done = subprocess.run([sys.executable, "-c", READY], env={**os.environ, "PYTHONPATH": paths()})
    assert done.returncode == 0


def test_children_may_use_several_threads_and_take_the_clip_that_is_kept(
    tree, pets_root, tmp_path, monkeypatch
):
    """OpenMP's threads are not there after a fork: loading CLIP must not have started any."""
    options = ("OPTIM.MAX_EPOCH", "1")
    runner = Runner({"PYTHONPATH": paths(), "OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"})
    found = []
    for name in ("first", "second"):  # the second has its CLIP from the server
        output = str(tmp_path / name)
        job = Job("pets", "CoOp", "small", 1, 0.5, 2, str(pets_root), output, options, "few_shot")
        task = Task(job, 0, str(tree), str(tmp_path / "shared"))
        assert runner.run(task, lambda: False) == Outcome("done")
        assert "2 threads" in (job.folder() / "log.txt").read_text()
        found.append(read_record(job.folder() / RESULTS))
    runner.close()
    assert found[0].metrics == found[1].metrics and found[0].history == found[1].history


IMPORTER = """
import sys
import npt_plugin.sweep.task as task
from npt_plugin.errors import UserError

def run(step, configs):
    said = "there" if "sklearn.cluster" in sys.modules else "new"
    import sklearn.cluster
    raise UserError(said)

task.run_step = run
"""


def test_what_a_run_had_to_import_the_next_finds(tmp_path):
    """scikit-learn takes a second, and few runs need it."""
    (tmp_path / "sitecustomize.py").write_text(IMPORTER)
    runner = Runner({"PYTHONPATH": os.pathsep.join([str(tmp_path), paths()])})
    task = Task(Job("dtd", "CoOp", "cfg", 1, output=str(tmp_path)), 0, "configs", str(tmp_path))
    said = [runner.run(task, lambda: False).said for _ in range(3)]
    runner.close()
    assert said == ["new", "there", "there"]
