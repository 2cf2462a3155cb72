"""Drawn data that readers of the CoOp family take, and CLIPs that OpenAI's code builds."""

from __future__ import annotations

import importlib
import sys

import pytest
import torch
from data_cfg import make_cfg

from npt_plugin.backbone.loading import TINY
from npt_plugin.backbone.openai import part_of_clip
from npt_plugin.datasets.oxford_pets import OxfordPets
from npt_plugin.hosts.miniature import BREEDS, LADDER, GiveWeights, draw_pets, write_clip


def test_the_pets_are_read_as_the_published_ones(tmp_path):
    draw_pets(tmp_path)
    found = OxfordPets(make_cfg(tmp_path, NUM_SHOTS=4, SUBSAMPLE_CLASSES="new"))
    assert found.classnames == list(BREEDS[3:])
    assert (len(found.train_x), len(found.test)) == (12, 12)


@pytest.mark.parametrize("name", list(LADDER)[:2])  # the third takes half a gigabyte
def test_each_clip_is_built_by_openais_code(tmp_path, name):
    size = write_clip(name, tmp_path / "clip.pt")
    state = torch.load(tmp_path / "clip.pt")
    build = part_of_clip("model").build_model
    model = build(state).float()
    assert model.visual.input_resolution == size
    assert model.encode_image(torch.randn(2, 3, size, size)).isfinite().all()
    layers = len(model.transformer.resblocks), len(model.visual.transformer.resblocks)
    assert layers == ((3, 4) if name == TINY else (12, 12))


def test_weights_do_not_move_the_random_numbers(tmp_path):
    torch.manual_seed(1)
    expected = torch.randn(2)
    torch.manual_seed(1)
    write_clip(list(LADDER)[1], tmp_path / "clip.pt")
    assert torch.equal(torch.randn(2), expected)


def test_whatever_a_project_loads_is_the_given_file(tmp_path, monkeypatch):
    for owner in (torch, torch.jit):
        monkeypatch.setattr(owner, "load", owner.load)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "clip.py").write_text(
        "def _download(url): raise OSError\ndef load(): return _download('a')\n"
    )
    torch.save({"here": torch.ones(1)}, tmp_path / "given.pt")
    torch.save({"other": torch.ones(1)}, tmp_path / "RN50.pt")
    GiveWeights(tmp_path / "given.pt").install()
    assert importlib.import_module("own.clip").load() == str(tmp_path / "given.pt")
    with pytest.raises(RuntimeError, match="no archive"):
        torch.jit.load("clip/ViT-B-16.pt", map_location="cpu")
    assert list(torch.load("clip/ViT-B-16.pt", map_location="cpu")) == ["here"]
    assert list(torch.load(tmp_path / "RN50.pt")) == ["other"]
    with pytest.raises(FileNotFoundError):
        torch.load("teacher.pt")
