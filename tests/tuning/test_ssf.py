"""SSF: a scale and a shift, from 1 and 0, and merged into maps, norms and convolutions."""

import pytest
import torch
import torch.nn.functional as F
from tolerance import DOUBLE, gap
from torch import nn

from npt_plugin.tuning.ssf import ScaleShift

pytestmark = pytest.mark.numerics
N, M = 5, 7


def moved(outputs=M):
    ssf = ScaleShift(outputs)
    nn.init.normal_(ssf.scale), nn.init.normal_(ssf.shift)
    return ssf


def test_it_scales_and_shifts_each_output():
    ssf, out = moved(), torch.randn(4, 2, M)
    found = ssf(torch.randn(4, 2, N), out)
    for j in range(M):
        assert gap(found[..., j], ssf.scale[j] * out[..., j] + ssf.shift[j]) <= DOUBLE
    assert gap(ssf(out, 3 * out, 2, 3), 3 * found) <= DOUBLE


def test_a_fresh_one_changes_no_bit():
    out = torch.randn(4, M)
    assert torch.equal(ScaleShift(M)(out, out), out)
    assert sum(p.numel() for p in ScaleShift(M).parameters()) == 2 * M


def test_merged_into_a_linear_map_and_into_a_norm():
    ssf, x = moved(), torch.randn(4, N)
    linear = nn.Linear(N, M)
    assert gap(F.linear(x, *ssf.merged(linear.weight, linear.bias)), ssf(x, linear(x))) <= DOUBLE
    norm, y = nn.LayerNorm(M), torch.randn(4, M)
    nn.init.normal_(norm.weight), nn.init.normal_(norm.bias)
    weight, bias = ssf.merged(norm.weight, norm.bias)
    assert gap(F.layer_norm(y, (M,), weight, bias, norm.eps), ssf(y, norm(y))) <= DOUBLE
