"""Reading the committed tiny CLIP."""

import time

import numpy as np
import pytest
import torch
from clip.model import build_model

from npt_plugin.backbone.openai import byte_pairs
from npt_plugin.backbone.tiny import (
    VOCABULARY,
    WEIGHTS_FILE,
    fresh_token_table,
    load_tiny_state_dict,
)
from npt_plugin.embedded.weights import known_token_ids
from npt_plugin.errors import UserError


def test_the_file_is_small():
    assert WEIGHTS_FILE.stat().st_size <= 6_000_000


def test_state_dict_has_the_full_vocabulary_and_is_the_same_every_time():
    begin = time.process_time()
    one = load_tiny_state_dict()
    assert time.process_time() - begin < 3  # about 0.2 s; generous for a busy machine
    two = load_tiny_state_dict()
    table = one["token_embedding.weight"]
    assert table.shape[0] == 49408
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert 0.015 < table.std() < 0.025  # prompts learned at CoOp's rate rely on this scale
    assert 0.015 < table[known_token_ids()].std() < 0.03


def test_clip_accepts_it_and_features_are_finite():
    model = build_model(load_tiny_state_dict()).float().eval()
    assert model.visual.input_resolution == 48
    images = model.encode_image(torch.randn(2, 3, 48, 48))
    odd = byte_pairs().encode("a zyxomma in my borogove")  # words training never saw
    tokens = torch.zeros(1, 77, dtype=torch.int64)
    tokens[0, : len(odd) + 2] = torch.tensor([49406, *odd, 49407])
    texts = model.encode_text(tokens)
    assert images.isfinite().all() and texts.isfinite().all()
    assert images.shape[1] == texts.shape[1]


def test_missing_and_damaged_files_are_user_errors(tmp_path):
    with pytest.raises(UserError, match="missing"):
        load_tiny_state_dict(tmp_path / "none.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"not a safetensors file")
    with pytest.raises(UserError, match="not a tiny CLIP"):
        load_tiny_state_dict(broken)


def test_the_fresh_table_has_clip_s_scale_and_never_changes():
    table = fresh_token_table(16)
    assert table.shape == (VOCABULARY, 16) and table.dtype == np.float32
    assert np.array_equal(table, fresh_token_table(16))
    assert table.std() == pytest.approx(0.02, rel=0.01)  # 790 528 draws: 0.08 % standard error
    assert abs(table.mean()) < 1e-4


def test_rows_that_training_never_used_are_those_of_the_fresh_table():
    table = load_tiny_state_dict()["token_embedding.weight"]
    fresh = torch.from_numpy(fresh_token_table(table.shape[1]).copy())
    known = torch.zeros(VOCABULARY, dtype=torch.bool)
    known[known_token_ids()] = True
    assert torch.equal(table[~known], fresh[~known])
    assert not torch.equal(table[known], fresh[known])
