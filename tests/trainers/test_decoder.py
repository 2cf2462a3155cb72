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


def test_blocks_learn_and_their_feature_has_the_tower_s_width(prompted):
    model = prompted("Decoder", "TRAINER.DECODER.DEPTH", "2")
    assert model.learns_image_side and model.image_features(torch.randn(2, 3, 32, 32)).shape == (
        2,
        64,
    )
    tops = {name.split(".")[0] for name in model.learned()}
    assert tops == {"decoder", "head"}


@pytest.mark.numerics
def test_the_final_norm_is_clip_s_own(prompted, small_clip):
    plain = prompted("Decoder")
    normed = prompted("Decoder", "TRAINER.DECODER.FINAL_NORM", "True")
    images = torch.randn(2, 3, 32, 32)
    expected = small_clip.model.visual.ln_post(plain.image_features(images))
    assert gap(normed.image_features(images), expected) <= DOUBLE
    assert plain.feature_kind != normed.feature_kind  # a cache must not mix them up


@pytest.mark.parametrize("head, why", [("linear", "its head is linear"), ("cosine", "image side")])
def test_it_says_why_it_cannot_be_exported(prompted, head, why):
    assert why in prompted("Decoder", "TRAINER.HEAD.NAME", head).export_obstacle()
    bare = prompted("Decoder", "TRAINER.HEAD.NAME", "cosine", "TRAINER.DECODER.DEPTH", "0")
    assert bare.export_obstacle() == "its head is not on CLIP's feature"
