"""A sweep through real processes: it goes on, it repeats only what failed, it refuses."""

import sys
from pathlib import Path

import pytest

from npt_plugin.cli import protocol, sweep
from npt_plugin.cli.overrides import parse_with_overrides
from npt_plugin.sweep import workers
from npt_plugin.sweep.job import Job


def sweep_command(tree, pets_root, output, *more):
    words = ["--datasets", "pets", "--trainers", "ZeroshotCLIP", "CoOp", "--seeds", "1", "2"]
    words += ["--config", "small", "--configs", str(tree), "--root", str(pets_root)]
    return [*words, "--shots", "4", "--output", str(output), "--jobs", "2", *more]


@pytest.mark.slow
def test_a_sweep_goes_on_after_a_failure_and_repeats_only_that(tree, pets_root, tmp_path, capfd):
    blocked = (
        tmp_path / "out" / "base2new" / "train_base" / "pets/shots_4/ratio_0.06/CoOp/small/seed2"
    )
    blocked.parent.mkdir(parents=True)
    blocked.write_text("a file where the run needs a folder")
    assert sweep.main(sweep_command(tree, pets_root, tmp_path / "out")) == 1
    out, err = capfd.readouterr()
    assert "3 runs, 0 completed already, 3 to do" in out
    assert "failed: pets CoOp tau 0.06 seed 2" in err
    assert "| CoOp" in out and "Traceback" not in err
    blocked.unlink()
    assert sweep.main(sweep_command(tree, pets_root, tmp_path / "out")) == 0
    assert "3 runs, 2 completed already, 1 to do" in capfd.readouterr().out


def test_a_finished_run_with_other_settings_is_refused_with_its_keys(
    tree, pets_root, tmp_path, capfd, monkeypatch
):
    """The run of ``npt protocol`` is the run of ``npt sweep``."""
    words = sweep_command(tree, pets_root, tmp_path / "out", "--seeds", "1", "--trainers", "CoOp")
    one = ["base2new", "--dataset", "pets", "--trainer", "CoOp", "--seed", "1", "--ratio", "0.06"]
    one += ["--config", "small", "--configs", str(tree), "--root", str(pets_root)]
    one += ["--shots", "4", "--output", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # Dassl's logger replaces it
    assert protocol.main(one) == 0
    capfd.readouterr()
    assert sweep.main([*words, "--opts", "TRAIN.STEPS", "9", "OPTIM.LR", "0.2"]) == 2
    out, err = capfd.readouterr()
    assert "OPTIM.LR: 0.1 -> 0.2; TRAIN.STEPS: 0 -> 9" in err and "train_base" in err
    assert "1 to do" not in out and "| CoOp" not in out
    assert sweep.main([*words, "--opts", "TRAIN.PRINT_FREQ", "7"]) == 0  # changes no number
    assert "1 runs, 1 completed already, 0 to do" in capfd.readouterr().out
    old = tmp_path / "out" / "base2new"
    for part in ("train_base", "test_new"):  # version 0.1's scripts spelled it so
        above = old / part / "pets" / "shots_4"
        (above / "ratio_0.06").rename(above / "ratio_0.060")
    assert sweep.main(words) == 0
    assert "1 runs, 1 completed already, 0 to do" in capfd.readouterr().out


# -- one worker -----------------------------------------------------------------------------------

JOBS = [
    Job("dtd", "CoOp", "cfg", 3),
    Job(
        dataset="imagenet",
        trainer="NPT_MaPLe",
        config="own",
        seed=0,
        ratio=0.06,
        shots=4,
        root="a folder/data",
        output="out put",
        options=("OPTIM.LR", "0.1", "DATASET.NAME", "X Y"),
        protocol="xd",
        backbone="ViT-B/32",
        targets=("dtd", "eurosat"),
    ),
]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.protocol)
def test_the_command_line_of_a_job_says_all_of_it(job):
    words = workers.command(job, Path("my configs"))
    assert words[:4] == [sys.executable, "-m", "npt_plugin", "protocol"]
    asked = parse_with_overrides(protocol.parser(), words[4:])
    assert protocol.job_of(asked) == job and asked.configs == "my configs"


@pytest.fixture
def said(monkeypatch):
    """``said("python code")``: workers run this instead of a job."""

    def make(code):
        monkeypatch.setattr(workers, "command", lambda job, configs: [sys.executable, "-c", code])

    return make


@pytest.mark.parametrize(
    "visible, parallel, expected",
    [
        ("", 2, ["", ""]),  # a machine without
        ("0,2", 5, ["0", "2", "0", "2", "0"]),
        ("GPU-a", 1, ["GPU-a"]),
        (None, 3, ["0", "1", "0"]),  # torch finds two
    ],
)
def test_devices_are_dealt_out_in_turn(monkeypatch, visible, parallel, expected):
    monkeypatch.setattr(workers.torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    crew = workers.Crew(Path("configs"), parallel)
    assert [crew.devices.get() for _ in range(parallel)] == expected


def test_a_worker_has_its_device_and_one_core_where_there_are_several(monkeypatch, said, tmp_path):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5")
    monkeypatch.setenv("OMP_NUM_THREADS", "9")
    code = "import os, sys; e = os.environ; sys.exit(e['CUDA_VISIBLE_DEVICES'] + e['{0}'])"
    job = Job("dtd", "CoOp", "cfg", 1, output=str(tmp_path))
    said(code.format("OMP_NUM_THREADS"))
    assert workers.Crew(Path("configs"), 1).run(job).startswith("59 ")
    crew = workers.Crew(Path("configs"), 2)
    assert crew.run(job).startswith("51 ")
    assert crew.devices.qsize() == 2 and not crew.running  # given back


def test_a_failure_is_the_last_line_with_exit_code_and_log(said, tmp_path):
    job = Job("dtd", "CoOp", "cfg", 1, output=str(tmp_path))
    crew = workers.Crew(Path("configs"), 1)
    said("print('first'); print('error: no such folder'); raise SystemExit(2)")
    assert crew.run(job) == f"no such folder (exit 2, log in {job.folder()})"
    said("raise SystemExit(3)")
    assert crew.run(job) == f"no output (exit 3, log in {job.folder()})"
    said("print('fine')")
    assert crew.run(job) == ""


def test_a_crew_that_was_stopped_starts_nothing(said):
    said("raise SystemExit('started')")
    crew = workers.Crew(Path("configs"), 1)
    crew.stop()
    assert crew.run(JOBS[0]) == "not started"
