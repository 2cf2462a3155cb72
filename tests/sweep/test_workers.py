"""A sweep through real processes: it goes on, it repeats only what failed, it refuses."""

import sys

import pytest

from npt_plugin.cli import protocol, sweep
from npt_plugin.sweep.engines.local import Local
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.workers import run_all


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


def test_jobs_of_several_output_folders_go_folder_by_folder(tree, pets_root, tmp_path, monkeypatch):
    """A plan is of one folder: each gets its own, and none of its jobs is lost."""
    started = []
    monkeypatch.setattr(Local, "start", lambda self, plan: started.append(plan))
    jobs = [
        Job("pets", "CoOp", "small", seed, shots=4, root=str(pets_root), output=str(tmp_path / out))
        for seed, out in ((1, "a"), (1, "b"), (2, "a"))
    ]
    assert run_all(jobs, tree, 1, together=True) == {}
    assert all(plan.together for plan in started)
    assert [(plan.output.name, [job.seed for job in plan.jobs]) for plan in started] == [
        ("a", [1, 2]),
        ("b", [1]),
    ]
