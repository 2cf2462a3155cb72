"""Random CLIPs of real shapes."""

import pytest
import torch

from npt_plugin.backbone.loading import available_backbones, load_clip
from npt_plugin.backbone.openai import weights_at_hand
from npt_plugin.backbone.random_weights import SHAPES, write_random_clip


def test_every_published_model_has_its_shape():
    assert {"Tiny", *SHAPES} == set(available_backbones())


def test_a_random_clip_loads_like_a_real_one(tmp_path, monkeypatch):
    monkeypatch.setitem(SHAPES, "small", (32, 32, 2, 64, 16, 77, 49408, 64, 1, 2))
    before = torch.get_rng_state()
    write_random_clip("small", tmp_path / "a.safetensors")
    assert torch.equal(torch.get_rng_state(), before)
    model = load_clip("small", str(tmp_path / "a.safetensors"))
    assert model.image_size == (32, 32) and model.dtype == torch.float16


@pytest.mark.parametrize("name", ["ViT-B/16", "RN50x4"])
def test_weights_at_hand_are_those_clip_would_find(name, tmp_path, monkeypatch):
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path)
    assert not weights_at_hand(name)
    folder = tmp_path / ".cache" / "clip"
    folder.mkdir(parents=True)
    (folder / f"{name.replace('/', '-')}.pt").touch()
    assert weights_at_hand(name)
