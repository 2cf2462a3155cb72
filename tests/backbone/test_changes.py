"""Where tuning acts: a call and a fast path apply a change alike, each once."""

import torch
from torch import nn

from npt_plugin.backbone.changes import Change, changed, put_change, with_beside


class Twice(Change):
    def forward(self, x, out, x_scale=1.0, out_scale=1.0):
        return 2 * out + x_scale * 0 + out_scale


def test_without_one_nothing_happens():
    x, out, linear = torch.randn(2, 3), torch.randn(2, 4), nn.Linear(3, 4)
    assert changed(linear, x, out) is out and with_beside(linear, x, out) is out


def test_a_call_and_the_fast_path_give_the_same():
    x, linear = torch.randn(2, 3), nn.Linear(3, 4)
    plain = linear(x)
    put_change(linear, Twice())
    assert torch.equal(linear(x), 2 * plain + 1)
    assert torch.equal(changed(linear, x, plain), linear(x))
    assert torch.equal(changed(linear, x, plain, out_scale=3), 2 * plain + 3)
    put_change(linear, Twice())  # replaces the first, and does not act twice
    assert torch.equal(linear(x), 2 * plain + 1)


def test_what_stands_beside_sees_the_stream_and_the_half():
    half, x, out = nn.Linear(3, 3), torch.randn(2, 3), torch.randn(2, 3)
    half.beside = Sum()
    assert torch.equal(with_beside(half, x, out), x + out)


class Sum(nn.Module):
    def forward(self, x, out):
        return x + out
