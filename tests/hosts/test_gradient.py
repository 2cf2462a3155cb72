"""The step that is compared: equal for what NPT does, far off for each way of getting it wrong."""

from __future__ import annotations

import pytest
import torch
from edge_trainers import Projecting
from reference_trainers import labelled_batch

from npt_plugin.hosts.double import ROUNDING
from npt_plugin.hosts.gradient import AFTER, Compared, Way, proving
from npt_plugin.hosts.wrap import HostNPT


def compared(make, *ways, spoil=lambda trainer: None, **how):
    """What is told about the third step of a wrapped trainer."""
    told = []
    plain = HostNPT.forward_backward
    with proving(told.extend, ways or [Way()]):
        trainer = make("HostCoOp", **how)
        spoil(trainer)
        for number in range(AFTER):
            trainer.forward_backward(labelled_batch(trainer, seed=number))
        with pytest.raises(Compared):
            trainer.forward_backward(labelled_batch(trainer, seed=AFTER))
    assert HostNPT.forward_backward is plain and torch.get_default_dtype() == torch.float32
    return told


def test_what_npt_adds_is_what_is_added_by_hand(make):
    (found,) = compared(make)
    assert found.worst <= ROUNDING and found.dtypes == ["torch.float64"]
    assert found.moved > 1e-3 and set(found.terms) == {"lc", "mi"}
    for ours, theirs in found.terms.values():
        assert ours == pytest.approx(theirs, rel=ROUNDING)


def test_a_factor_or_wrong_labels_are_seen(make):
    def louder(trainer):
        trainer.npt.scale = lambda gradient: 1.001 * gradient

    (found,) = compared(make, spoil=louder)
    assert found.worst > 1e-6

    def turned(trainer):
        trainer.npt.hook = lambda batch: batch["label"].roll(1)

    (found,) = compared(make, spoil=turned)
    assert found.worst > 1e-3


class Agreeing(Projecting):
    """Takes its step as well."""

    def forward_backward(self, batch):
        summary = super().forward_backward(batch)
        self.optim.step()
        return summary


def test_the_terms_go_with_the_loss_of_one_pass(make):
    other, own = compared(make, Way(0), Way(1), Way(2), cls=Agreeing)  # it takes no third
    assert own.worst <= ROUNDING < 1e-3 < other.worst
