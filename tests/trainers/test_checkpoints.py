"""Going on with a run on another processor or with other kernels."""

from npt_plugin.system.safe_checkpoints import read_state, write_state
from npt_plugin.trainers import checkpoints


def test_a_run_that_goes_on_with_other_kernels_says_so(make_trainer, tmp_path, capsys):
    run = tmp_path / "run"
    trainer = make_trainer("CoOp", output=run)
    trainer.epoch = 0
    checkpoints.save_progress(trainer)
    checkpoints.resume(trainer, str(run))
    assert "Resuming with other" not in capsys.readouterr().out
    state = read_state(run / checkpoints.PROGRESS)
    now = state["arithmetic"]
    write_state(run / checkpoints.PROGRESS, {**state, "arithmetic": {**now, "kernels": "before"}})
    assert checkpoints.resume(trainer, str(run)) == 1
    said = f"Resuming with other arithmetic (kernels before -> {now['kernels']}): the same results"
    assert said in capsys.readouterr().out


def test_progress_of_version_0_1_is_read(make_trainer, tmp_path, capsys):
    run = tmp_path / "run"
    trainer = make_trainer("CoOp", output=run)
    trainer.epoch = 0
    checkpoints.save_progress(trainer)
    state = read_state(run / checkpoints.PROGRESS)
    del state["arithmetic"]
    write_state(run / checkpoints.PROGRESS, state)
    assert checkpoints.resume(trainer, str(run)) == 1
    assert "other arithmetic" not in capsys.readouterr().out
