"""Which parameters of a tower become halves."""

import torch
from torch import nn

from npt_plugin.backbone.halves import halve


def test_linear_maps_become_halves_and_norms_do_not(small_clip):
    visual = small_clip.model.visual
    halve(visual, torch.float16)
    single = {name for name, p in visual.named_parameters() if p.dtype == torch.float32}
    assert all("ln_" in name or "embedding" in name for name in single)
    assert visual.proj.dtype == visual.conv1.weight.dtype == torch.float16
    assert small_clip.model.transformer.resblocks[0].mlp.c_fc.weight.dtype == torch.float32


def test_a_tower_without_a_projection():
    tower = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    halve(tower, torch.bfloat16)
    assert [p.dtype for p in tower.parameters()] == [torch.bfloat16] * 2 + [torch.float32] * 2
