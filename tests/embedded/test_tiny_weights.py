import copy
import json
import subprocess
import sys
import time

import pytest
import torch
from clip.model import build_model

from npt_plugin.embedded import load_tiny_state_dict
from npt_plugin.embedded.check import check_committed, differences
from npt_plugin.embedded.quality import encode_pictures, encode_prompts
from npt_plugin.embedded.specs import BENCHMARKS
from npt_plugin.embedded.weights import (
    CARD_FILE,
    WEIGHTS_FILE,
    file_sha256,
    known_token_ids,
    read_card,
    save_tiny,
    tokenizer,
)
from npt_plugin.errors import UserError


@pytest.fixture(scope="module")
def model():
    return build_model(load_tiny_state_dict()).float().eval()


def test_file_is_small_and_has_the_checksum_of_its_card():
    assert WEIGHTS_FILE.stat().st_size <= 6_000_000
    assert read_card()["sha256"] == file_sha256(WEIGHTS_FILE)


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


def test_clip_accepts_it_and_features_are_finite(model):
    assert model.visual.input_resolution == 48
    images = model.encode_image(torch.randn(2, 3, 48, 48))
    odd = tokenizer().encode("a zyxomma in my borogove")  # words training never saw
    tokens = torch.zeros(1, 77, dtype=torch.int64)
    tokens[0, : len(odd) + 2] = torch.tensor([49406, *odd, 49407])
    texts = model.encode_text(tokens)
    assert images.isfinite().all() and texts.isfinite().all()
    assert images.shape[1] == texts.shape[1]


def test_zero_shot_is_far_above_chance(model):
    spec = BENCHMARKS["EmbeddedOverhead"]
    text = encode_prompts(model, [spec.template.format(name) for name in spec.class_names])
    guesses = [(encode_pictures(model, spec, k, range(6)) @ text.T).argmax(1) for k in range(32)]
    labels = torch.arange(32)[:, None]
    assert (torch.stack(guesses) == labels).float().mean() > 0.25  # chance: 0.03


def test_save_and_load_round_trip(tmp_path, model):
    state = model.state_dict()
    ids = [5, 49406, 49407]
    rows = torch.randn(3, 128) * 0.02
    save_tiny(tmp_path / "x.safetensors", state, rows, ids)
    back = load_tiny_state_dict(tmp_path / "x.safetensors")
    assert torch.allclose(back["token_embedding.weight"][ids], rows, atol=1e-4)
    assert torch.equal(back["visual.proj"], state["visual.proj"])
    assert set(back) == {name for name in state if "attn_mask" not in name}


def test_missing_and_damaged_files_are_user_errors(tmp_path):
    with pytest.raises(UserError, match="missing"):
        load_tiny_state_dict(tmp_path / "none.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"not a safetensors file")
    with pytest.raises(UserError, match="not a tiny CLIP"):
        load_tiny_state_dict(broken)


def test_check_tells_each_kind_of_difference():
    good = read_card()["check"]
    assert differences(good, good) == []
    for key, value in {
        "data_sha256": "0" * 64,
        "pixel_mean": good["pixel_mean"] + 0.01,
        "losses": [loss + 0.01 for loss in good["losses"]],
        "moved": good["moved"] * 1.05,
    }.items():
        bad = copy.deepcopy(good) | {key: value}
        assert len(differences(bad, good)) == 1, key


def test_check_fails_when_the_weights_are_others(tmp_path):
    fake = tmp_path / "w.safetensors"
    fake.write_bytes(WEIGHTS_FILE.read_bytes() + b" ")
    fine, line = check_committed(lambda recipe, steps: read_card()["check"], fake, CARD_FILE)
    assert not fine and "checksum" in line


def test_check_command_passes_here():
    command = [sys.executable, "-W", "ignore", "-m", "npt_plugin.embedded.pretrain", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "CHECK PASSED" in done.stdout
    assert json.loads(CARD_FILE.read_text())["check"]["data_sha256"][:12] in done.stdout
