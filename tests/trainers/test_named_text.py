"""Text features of class names, against CLIP's own."""

import pytest
import torch
from tolerance import DOUBLE, gap

from npt_plugin.backbone.openai import BytePairs
from npt_plugin.trainers.named_text import text_features_of

NAMES = ["red_kite", "blue kite of the sea", "boat"]


@pytest.mark.numerics
@pytest.mark.parametrize("chunk", [0, 1, 2])
def test_text_features_are_clip_s_own(small_clip, chunk):
    """Against ``encode_text`` on all 77 positions."""
    tokens = BytePairs()([f"a picture of {name.replace('_', ' ')}!" for name in NAMES])
    with torch.no_grad():
        own = small_clip.model.encode_text(tokens)
    features = text_features_of(small_clip, NAMES, "a picture of {}!", chunk)
    assert gap(features, own / own.norm(dim=-1, keepdim=True)) <= DOUBLE
