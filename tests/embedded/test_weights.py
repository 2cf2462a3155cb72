"""Writing the tiny CLIP, its card, and the tokens it knows."""

import hashlib

import torch
from clip.model import build_model

from npt_plugin.backbone.openai import byte_pairs
from npt_plugin.backbone.tiny import WEIGHTS_FILE, load_tiny_state_dict
from npt_plugin.embedded.weights import (
    END,
    START,
    file_sha256,
    known_token_ids,
    read_card,
    save_tiny,
)


def test_the_file_has_the_checksum_of_its_card():
    assert read_card()["sha256"] == file_sha256(WEIGHTS_FILE)


def test_save_and_load_round_trip(tmp_path):
    model = build_model(load_tiny_state_dict()).float().eval()
    state = model.state_dict()
    ids = [5, 49406, 49407]
    rows = torch.randn(3, 128) * 0.02
    save_tiny(tmp_path / "x.safetensors", state, rows, ids)
    back = load_tiny_state_dict(tmp_path / "x.safetensors")
    assert torch.allclose(
        back["token_embedding.weight"][ids], rows, atol=1e-4
    )  # kept in half precision
    assert torch.equal(back["visual.proj"], state["visual.proj"])
    assert set(back) == {name for name in state if "attn_mask" not in name}


def test_known_ids_are_sorted_and_hold_the_marks():
    ids = known_token_ids()
    assert ids == sorted(set(ids)) and {START, END} <= set(ids) and ids[0] >= 0
    assert set(byte_pairs().encode("parking lot")) <= set(ids)
    assert not set(byte_pairs().encode("zyxomma")) <= set(ids)
    assert byte_pairs() is byte_pairs()


def test_checksum_is_sha256(tmp_path):
    file = tmp_path / "x"
    file.write_bytes(b"abc")
    assert file_sha256(file) == hashlib.sha256(b"abc").hexdigest()
