"""The parts of a block under names that every family shares."""

import torch
from tolerance import DOUBLE, gap
from torch import nn

from npt_plugin.backbone.block import LinearMap, clip_blocks, normed


def test_a_block_s_maps_are_the_rows_of_its_parameters(small_clip):
    (module, _), (block, _) = (
        small_clip.model.transformer.resblocks,
        clip_blocks(small_clip.model.transformer.resblocks),
    )
    maps = block.maps()
    assert list(maps) == ["q", "k", "v", "out", "fc1", "fc2"]
    joint = torch.cat([maps[name].weight for name in "qkv"])
    assert torch.equal(joint, module.attn.in_proj_weight)
    assert torch.equal(torch.cat([maps[n].bias for n in "qkv"]), module.attn.in_proj_bias)
    assert maps["out"].weight is module.attn.out_proj.weight
    assert maps["fc2"].bias is module.mlp.c_proj.bias
    assert (block.width, block.heads, block.norm2) == (64, 1, module.ln_2)


def test_a_map_of_some_rows_is_a_view_and_may_lack_a_bias():
    layer = nn.Linear(3, 4, bias=False)
    part = LinearMap(layer).part(slice(1, 3))
    assert part.weight.data_ptr() == layer.weight[1:].data_ptr() and part.bias is None


def test_layer_norm_computes_in_the_precision_of_its_weights():
    norm, x = nn.LayerNorm(8), 100 + torch.randn(5, 8)
    half = normed(norm, x.half())
    assert half.dtype == torch.float16 and torch.equal(half, norm(x.half().float()).half())
    assert torch.equal(normed(norm, x), norm(x))
    assert gap(normed(norm.double(), x.double()), norm(x.double())) <= DOUBLE
    assert torch.equal(normed(nn.Identity(), x), x)
