"""Within the block float32 means float64; afterwards nothing is left of it."""

from __future__ import annotations

import torch
from torch import nn

from npt_plugin.backbone.openai import part_of_clip
from npt_plugin.hosts.double import doubled, in_double


def test_what_is_made_cast_loaded_and_normed_is_double(tmp_path):
    norm = part_of_clip("model").LayerNorm
    torch.save({"model": {"ctx": torch.ones(2), "step": torch.tensor(3)}}, tmp_path / "file.pt")
    before = torch.load, nn.Module.float, torch.Tensor.float, norm.forward
    with in_double():
        assert torch.zeros(1).dtype == torch.ones(1).half().float().dtype == torch.float64
        assert nn.Linear(2, 2).float().weight.dtype == torch.float64
        loaded = torch.load(tmp_path / "file.pt")["model"]
        assert loaded["ctx"].dtype == torch.float64 and loaded["step"].dtype == torch.int64
        x = torch.randn(3, 64) * 1e-3
        layer = norm(64)
        assert torch.equal(layer(x), nn.functional.layer_norm(x, (64,), layer.weight, layer.bias))
    assert before == (torch.load, nn.Module.float, torch.Tensor.float, norm.forward)
    assert torch.zeros(1).dtype == torch.float32


def test_it_ends_after_an_error_too():
    try:
        with in_double():
            raise KeyError
    except KeyError:
        pass
    assert torch.zeros(1).dtype == torch.float32 and nn.Linear(1, 1).float().weight.is_leaf


def test_what_is_no_checkpoint_stays():
    assert doubled("text") == "text" and doubled(torch.ones(1).half()).dtype == torch.float16
