"""Adapters and AdaptFormer against their formulas; both begin as nothing."""

import pytest
import torch
import torch.nn.functional as F
from tolerance import DOUBLE, gap
from torch import nn

from npt_plugin.tuning.bottleneck import Adapter, AdaptFormer

pytestmark = pytest.mark.numerics
W, R = 10, 3
FORMS = {
    "adapter": lambda: Adapter(W, R),
    "published": lambda: AdaptFormer(W, R, scale=0.1),
    "lift": lambda: AdaptFormer(W, R, lift=True),
}


def moved(form):
    module = FORMS[form]()
    for parameter in module.parameters():
        nn.init.normal_(parameter)
    return module


def by_hand(form, module, x, out):
    """One position at a time."""
    down, up = module.inner.down, module.inner.up
    if form == "adapter":
        return out + up.weight @ F.gelu(down.weight @ out + down.bias) + up.bias
    if form == "lift":
        x = (x - x.mean()) / (x.var(correction=0) + 1e-5).sqrt() * module.norm.weight
        x = x + module.norm.bias
    narrow = torch.relu(down.weight @ x + down.bias)
    return out + module.scale * (up.weight @ narrow + up.bias)


@pytest.mark.parametrize("form", FORMS)
def test_it_is_the_published_formula(form):
    module, x, out = moved(form), torch.randn(2, 4, W), torch.randn(2, 4, W)
    found = module(x, out)
    for i in range(2):
        for j in range(4):
            assert gap(found[i, j], by_hand(form, module, x[i, j], out[i, j])) <= DOUBLE


@pytest.mark.parametrize("form", FORMS)
def test_a_fresh_one_changes_no_bit(form):
    out = torch.randn(2, 4, W)
    assert torch.equal(FORMS[form]()(torch.randn(2, 4, W), out), out)


@pytest.mark.parametrize("form", FORMS)
def test_it_learns_as_many_numbers_as_published(form):
    more = 2 * W + 1 if form == "lift" else 0
    count = sum(p.numel() for p in FORMS[form]().parameters())
    assert count == 2 * W * R + W + R + more


def test_downs_start_as_published():
    torch.manual_seed(0)
    wide, r = 400, 50
    limit = wide**-0.5  # of kaiming with a = sqrt(5): uniform in +-1/sqrt(n)
    uniform = AdaptFormer(wide, r).inner.down.weight
    assert limit * 0.99 < uniform.abs().max() <= limit
    normal = AdaptFormer(wide, r, lift=True).inner.down.weight
    assert normal.std().item() == pytest.approx(limit / 3**0.5, rel=0.02)
    assert normal.abs().max() > 1.5 * limit
    cut = Adapter(wide, r).inner.down.weight
    assert cut.abs().max() <= 0.02 and cut.std().item() == pytest.approx(0.0088, rel=0.02)


@pytest.mark.parametrize("form", FORMS)
def test_halves_stay_halves(form):
    module, x = FORMS[form]().float(), torch.randn(2, W).bfloat16()
    assert module(x, x).dtype == torch.bfloat16
    assert all(p.dtype != torch.bfloat16 for p in module.parameters())
