"""Where a sweep runs, and how far it is: flags to engines, status and follow from anywhere."""

import argparse
import sys
from types import SimpleNamespace

import pytest

from npt_plugin.cli import sweep, sweep_engine
from npt_plugin.cli.sweep_engine import engine_of
from npt_plugin.errors import UserError
from npt_plugin.sweep.claims import Claims
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.plan import Plan


@pytest.fixture(autouse=True)
def packages(monkeypatch):
    """Flags are understood whether or not the packages are installed."""
    for name in ("ray", "submitit"):
        monkeypatch.setitem(sys.modules, name, SimpleNamespace())


def flags(*words):
    return sweep.parser().parse_args(words)


def test_the_flags_of_slurm_reach_sbatch():
    words = ["--engine", "slurm", "--array-parallelism", "6"]
    asked = flags(*words, "--slurm", "partition=gpu", "comment=a=b", "gpus-per-task=1")
    engine = engine_of(asked)
    assert (engine.name, engine.waits, engine.tasks) == ("slurm", False, 6)
    assert engine.options == {"partition": "gpu", "comment": "a=b", "gpus-per-task": "1"}


def test_ray_has_an_address_and_a_number_of_actors():
    engine = engine_of(flags("--engine", "ray", "--workers", "3", "--ray", "10.0.0.1:6379"))
    assert (engine.name, engine.waits) == ("ray", True)
    assert (engine.address, engine.actors) == ("10.0.0.1:6379", 3)
    assert engine_of(flags("--engine", "ray")).address == "auto"


def test_devices_are_shared_alike_on_every_engine():
    shared = ["--per-device", "2"]
    engines = [engine_of(flags("--engine", name, *shared)) for name in sweep_engine.ENGINES]
    assert [engine.per_device for engine in engines] == [2, 2, 2]


@pytest.mark.parametrize(
    "words, said",
    [
        (["--engine", "slrm"], "no engine 'slrm' (did you mean 'slurm'?)"),
        (["--engine", "slurm", "--slurm", "gpu"], "--slurm gpu: write KEY=VALUE"),
        (["--engine", "slurm", "--slurm", "=x"], "--slurm =x: write KEY=VALUE"),
        (["--engine", "slurm", "--slurm", "array=1"], "the engine sets that itself"),
        (["--slurm", "time=3"], "--slurm goes with --engine slurm, not with local"),
        (["--engine", "ray", "--jobs", "3"], "--jobs goes with --engine local"),
        (["--engine", "slurm", "--workers", "-1"], "--array-parallelism is -1"),
    ],
)
def test_flags_that_fit_nothing_are_refused(words, said):
    with pytest.raises(UserError) as refusal:
        engine_of(flags(*words))
    assert said in str(refusal.value)


@pytest.fixture
def plan(tmp_path):
    jobs = [Job("dtd", "CoOp", "cfg", seed, output=str(tmp_path / "out")) for seed in range(3)]
    found = Plan.of(jobs, tmp_path)
    found.write()
    return found


def test_the_status_needs_the_output_folder_alone(plan, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir("/")
    claim = Claims(plan.output, "slurm 7_1").take(plan.jobs[0])
    assert sweep.main(["--status", "--output", str(plan.output)]) == 0
    said = capsys.readouterr().out
    assert "3 runs: 1 running, 2 waiting" in said and "slurm 7_1" in said
    claim.release()
    assert sweep.main(["--status", "--output", str(tmp_path)]) == 2
    assert "holds no sweep" in capsys.readouterr().err


def test_following_stays_to_the_end_and_says_what_failed(plan, capsys):
    for job in plan.jobs:
        Claims(plan.output).take(job).failed("no memory")
    assert sweep.main(["--follow", "--output", str(plan.output)]) == 1
    out, err = capsys.readouterr()
    assert "3 failed" in out and "the same call repeats only these" in out
    assert err.count("no memory") == 3


class Handed:
    """An engine that notes what it is given."""

    name = "slurm"

    def __init__(self, waits):
        self.waits, self.plans = waits, []

    def start(self, plan):
        self.plans.append(plan)


def asked(plan, **more):
    given = {
        "follow": False,
        "output": str(plan.output),
        "plots": None,
        "reference": "",
        "together": False,
    }
    return argparse.Namespace(**{**given, **more})


@pytest.fixture
def begun(plan, monkeypatch):
    """``begun(todo)``: the beginning of the sweep finds so much to do."""

    def make(todo):
        monkeypatch.setattr(sweep_engine, "begin", lambda jobs, configs, together: (plan, todo))

    return make


def test_what_was_submitted_can_be_left(plan, begun, capsys):
    engine = Handed(waits=False)
    begun(plan.jobs)
    assert sweep_engine.start(asked(plan), engine, plan.jobs, plan.configs) == 0
    assert engine.plans == [plan] and "failed" not in capsys.readouterr().out


def test_where_nothing_is_to_do_nothing_is_submitted(plan, begun):
    engine = Handed(waits=False)
    begun([])
    assert sweep_engine.start(asked(plan), engine, plan.jobs, plan.configs) == 0
    assert engine.plans == []


def test_an_engine_that_waits_ends_with_what_failed(plan, begun, capsys):
    begun(plan.jobs)
    Claims(plan.output).take(plan.jobs[1]).failed("no memory")
    assert sweep_engine.start(asked(plan), Handed(True), plan.jobs, plan.configs) == 1
    assert f"failed: {plan.jobs[1].name}: no memory" in capsys.readouterr().err
