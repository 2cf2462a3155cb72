"""Decoder: blocks on the tower's tokens, and what is left without them."""

import pytest
import torch
from tolerance import DOUBLE, gap
from trainer_checks import outputs_of


@pytest.mark.numerics
def test_a_decoder_without_blocks_is_a_head_on_the_plain_class_token(make_trainer):
    norm = ("TRAINER.DECODER.FINAL_NORM", "True")
    decoder = make_trainer("Decoder", "TRAINER.DECODER.DEPTH", "0", *norm)
    probe = make_trainer("LinearProbe", "TRAINER.LINEAR_PROBE.FEATURE", "ln_post")
    assert list(decoder.model.learned()) == ["head.weight"]
    assert gap(outputs_of(decoder).logits, outputs_of(probe).logits) <= DOUBLE
    plain = make_trainer("Decoder", "TRAINER.DECODER.DEPTH", "0")
    assert not torch.allclose(outputs_of(plain).logits, outputs_of(probe).logits, atol=1e-2)
