"""The log of an epoch: means of its steps, Dassl's line, and a step that goes wrong."""

import pytest


def test_a_loss_that_is_not_finite_is_named(make_trainer):
    trainer = make_trainer("NPT_CoOp", "OPTIM.LR", "1e30")
    with pytest.raises(FloatingPointError, match="is nan|is inf"):
        trainer.train()
