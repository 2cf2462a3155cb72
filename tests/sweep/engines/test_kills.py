"""Processes of a sweep are killed at random: every record stays whole, the table is the same."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import read_record
from npt_plugin.sweep.runner import FORKS

SWEEP = """
import sys
from pathlib import Path
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.workers import run_all

configs, root, output, count, workers = sys.argv[1:]
options = ("OPTIM.MAX_EPOCH", "3", "INPUT.CACHED_VIEWS", "2", "DATALOADER.TRAIN_X.BATCH_SIZE", "4")
jobs = [
    Job("pets", ("CoOp", "NPT_CoOp")[n % 2], "small", n // 2, 0.5, 4, root, output, options)
    for n in range(int(count))
]
sys.exit(1 if run_all(jobs, Path(configs), int(workers)) else 0)
"""

pytestmark = pytest.mark.skipif(not FORKS, reason="needs /proc and fork")


class Sweep:
    """The same command as often as it takes, in a folder."""

    def __init__(self, words):
        self.command = [sys.executable, "-c", SWEEP, *map(str, words)]
        paths = os.pathsep.join(part for part in sys.path if part)
        self.environment = {**os.environ, "PYTHONPATH": paths}
        self.process = None

    def going(self):
        """Whether it still has something to do; one that was killed is started again."""
        if self.process is None or self.process.poll() not in (None, 0):
            self.process = subprocess.Popen(
                self.command,
                env=self.environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        return self.process.poll() is None

    def finish(self):
        while self.going():
            time.sleep(0.1)


def below(pid):
    """Numbers of all processes that come from one."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(folder.name))
    found, todo = [], [pid]
    while todo:
        some = parents.get(todo.pop(), [])
        found += some
        todo += some
    return found


def table(output):
    """What the records below a folder say, all of them whole."""
    found = {}
    for file in sorted(Path(output).rglob(RESULTS)):
        record = read_record(file)
        if record.status == "completed":
            found[str(file.relative_to(output))] = (
                record.metrics,
                record.history,
                record.per_class,
            )
    return found


def kill_one(sweep, draw, engine_too):
    """Kill a run, a worker's process or the command itself; says whether there was one."""
    victims = below(sweep.process.pid)
    if engine_too and draw.random() < 0.1:
        victims = [sweep.process.pid]
    if not victims:
        return False
    try:
        os.kill(draw.choice(victims), signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def killed_sweeps(tree, pets_root, tmp_path, kills, runs, workers, pause, engine_too):
    undisturbed = Sweep([tree, pets_root, tmp_path / "undisturbed", runs, workers])
    undisturbed.finish()
    expected, draw, rounds = table(tmp_path / "undisturbed"), random.Random(3), 0
    assert len(expected) == 2 * runs
    while kills:
        output = tmp_path / f"killed {rounds}"
        sweep, rounds = Sweep([tree, pets_root, output, runs, workers]), rounds + 1
        while kills and sweep.going():
            time.sleep(draw.uniform(0, 2 * pause))
            if kill_one(sweep, draw, engine_too):
                kills -= 1
            table(output)  # every record can be read at any time
        sweep.finish()
        assert table(output) == expected
        assert not below(sweep.process.pid)


def test_a_few_kills_change_nothing(tree, pets_root, tmp_path):
    few = {"kills": 3, "runs": 2, "workers": 1, "pause": 1.5}
    killed_sweeps(tree, pets_root, tmp_path, **few, engine_too=False)


@pytest.mark.long
def test_two_hundred_kills_change_nothing(tree, pets_root, tmp_path):
    many = {"kills": 200, "runs": 50, "workers": 2, "pause": 0.7}
    killed_sweeps(tree, pets_root, tmp_path, **many, engine_too=True)
