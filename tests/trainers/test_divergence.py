"""Divergence is seen where it is, not where a loss merely starts high, and said once."""

import math
from pathlib import Path

import pytest

from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import read_record
from npt_plugin.trainers.divergence import divergence


def history(*losses):
    return [{"epoch": n, "loss": 9.0, "ce": loss} for n, loss in enumerate(losses, start=1)]


@pytest.mark.parametrize(
    "losses, epoch",
    [
        ((4.5, 5.0, 4.6), 3),  # above ln 96 = 4.56 after the first epochs
        ((4.5, 5.0, 4.5, 4.6), 4),
        ((2.0, 3.1), 2),  # far above the start
        ((2.0, 2.9, 3.2), 3),
        ((6.0, 5.0, 4.0), None),  # starts above chance, and falls
        ((2.0, 2.9), None),
        ((0.01, 0.3), None),  # thirty times as much, and next to nothing
        ((), None),
    ],
)
def test_what_counts_as_divergence(losses, epoch):
    found = divergence(history(*losses), 96)
    assert (found and found[0]) == epoch
    assert not found or f"{losses[found[0] - 1]:.2f}" in found[1]


def test_losses_with_margins_are_above_chance_anyway():
    assert divergence(history(6.0, 6.0, 6.0), 96, margins=True) is None
    assert divergence(history(6.0, 9.1), 96, margins=True)[0] == 2


def test_a_run_without_terms_has_its_loss_alone():
    assert divergence([{"loss": 1.0}, {"loss": 2.0}], 96)[0] == 2
    assert math.isnan(float("nan")) and divergence([{"acc": 5.0}], 96) is None


def test_a_run_says_it_once_and_its_record_keeps_it(make_trainer, capsys):
    """A rate far too large; the run goes on, and so does the same run resumed."""
    words = ("OPTIM.LR", "300.0", "OPTIM.WARMUP_EPOCH", "0", "TEST.NO_TEST", "False")
    trainer = make_trainer("CoOp", *words, "OPTIM.MAX_EPOCH", "4")
    trainer.train()
    out = capsys.readouterr().out
    record = read_record(Path(trainer.output_dir) / RESULTS)
    assert record.diverged is not None and record.status == "completed"
    assert out.count("Training diverges: the loss of epoch") == 1
    assert f"of epoch {record.diverged} is" in out and "lower OPTIM.LR (it is 300.0)" in out
