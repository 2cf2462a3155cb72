"""Hosts that learn from a teacher: supported where the trained model has both encoders."""

from __future__ import annotations

import pytest
import torch
from joint_loss import assert_close, expected, gradients
from reference_trainers import labelled_batch
from teacher_trainers import Student, Taught

from npt_plugin.errors import UserError

OFF = ("TRAINER.NPT.LAMBDA_LC", "0.", "TRAINER.NPT.LAMBDA_MI", "0.")


@pytest.mark.numerics
def test_a_teacher_beside_the_model_takes_no_part_in_the_terms(make) -> None:
    trainer = make("", cls=Taught)
    batch = labelled_batch(trainer, 4)
    wanted, _ = expected(trainer, batch)
    trainer.forward_backward(batch)
    assert_close(gradients(trainer), wanted)


@pytest.mark.parametrize("cls", [Taught, Student])
def test_weights_of_0_are_the_host_bit_for_bit(make, cls) -> None:
    wrapped, plain = make("", *OFF, cls=cls), make("", cls=cls, wrapped=False)
    for step in range(3):
        batch = labelled_batch(plain, seed=step)
        assert wrapped.forward_backward(batch) == plain.forward_backward(batch)
    for a, b in zip(wrapped.model.parameters(), plain.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_student_without_text_encoder_is_refused_by_name(make) -> None:
    with pytest.raises(UserError, match="the host's Student trains has no text_encoder"):
        make("", cls=Student)
