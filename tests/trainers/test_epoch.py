"""The log of an epoch: means of its steps, Dassl's line, and a step that goes wrong."""

import types

import pytest
import torch

from npt_plugin.trainers.epoch import EpochLog


def test_a_loss_that_is_not_finite_is_named(make_trainer):
    trainer = make_trainer("NPT_CoOp", "OPTIM.LR", "1e30")
    with pytest.raises(FloatingPointError, match="is nan|is inf"):
        trainer.train()


@pytest.fixture
def trainer(tmp_path):
    """The part of a trainer that a log looks at, in epoch 2 of 3 with five steps."""
    written: list[tuple] = []
    return types.SimpleNamespace(
        epoch=1,
        max_epoch=3,
        num_batches=5,
        batch_idx=0,
        output_dir=str(tmp_path),
        cfg=types.SimpleNamespace(TRAIN=types.SimpleNamespace(PRINT_FREQ=2)),
        get_current_lr=lambda: 0.25,
        write_scalar=lambda *what: written.append(what),
        written=written,
    )


def steps(trainer, values):
    log = EpochLog(trainer)
    for index, value in enumerate(values):
        trainer.batch_idx = index
        log.data_ready()
        log.step_done({"loss": torch.tensor(value), "acc": torch.tensor(100.0)})
    log.flush()
    return log


def test_averages_are_those_of_all_steps_with_the_learning_rate(trainer):
    log = steps(trainer, [1.0, 2.0, 6.0, 3.0, 8.0])  # printed after 2 and 4; the fifth is flushed
    assert log.averages() == {"lr": 0.25, "loss": 4.0, "acc": 100.0}
    assert not log.pending


def test_it_prints_every_few_steps_in_dassl_s_form(trainer, capsys):
    steps(trainer, [1.0, 2.0, 6.0, 3.0, 8.0])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" time")[0] for line in lines] == [
        "epoch [2/3] batch [2/5]",
        "epoch [2/3] batch [4/5]",
    ]
    assert "loss 3.0000 (3.0000)" in lines[1] and "lr 2.5000e-01 eta 0:00:" in lines[1]


def test_an_epoch_shorter_than_that_is_printed_step_by_step(trainer, capsys):
    trainer.num_batches, trainer.cfg.TRAIN.PRINT_FREQ = 3, 5
    steps(trainer, [1.0, 2.0, 3.0])
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_every_step_is_written_once_at_its_place_in_the_run(trainer):
    steps(trainer, [1.0, 2.0, 6.0, 3.0, 8.0])
    losses = [(at, value) for name, value, at in trainer.written if name == "train/loss"]
    assert [at for at, _ in losses] == [5, 6, 7, 8, 9]  # of the second epoch
    assert [value for _, value in losses] == [1.0, 1.5, 3.0, 3.0, 4.0]  # running means


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_the_step_that_was_not_finite_is_named(trainer, value):
    with pytest.raises(FloatingPointError) as error:
        steps(trainer, [1.0, 2.0, value, 3.0])
    said = f"loss is {value} at epoch 2, step 3: lower OPTIM.LR or use PREC fp32. "
    assert str(error.value) == said + "No epoch had ended, so nothing is kept."
