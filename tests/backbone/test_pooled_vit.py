"""Visual prompts in ViTs that pool their patches, against the library's own blocks."""

import pytest
import torch
from tolerance import gap

pytest.importorskip("open_clip")
from clip_families import family_clip

pytestmark = pytest.mark.numerics


def own_way(visual, images, shallow, deep):
    """Embedding, blocks and pooling by the family's own modules, prompts put in by hand."""
    trunk = getattr(visual, "trunk", None)
    if trunk is None:
        x, blocks = visual._embeds(images), visual.transformer.resblocks
    else:
        x, blocks = trunk._pos_embed(trunk.patch_embed(images)), trunk.blocks
    prompts = shallow.expand(len(x), -1, -1)
    for index, block in enumerate(blocks):
        if 0 < index <= len(deep):
            prompts = deep[index - 1].expand(len(x), -1, -1)
        full = block(torch.cat([x, prompts], dim=1))
        x, prompts = full[:, : x.shape[1]], full[:, x.shape[1] :]
    if trunk is None:
        return visual._pool(x)[0] @ visual.proj
    return visual.head(trunk.forward_head(trunk.norm(x)))


@pytest.mark.parametrize("family", ["clipa", "coca", "siglip"])
def test_prompts_are_seen_by_patches_and_left_out_of_the_pooling(family):
    clip = family_clip(family)
    if family == "clipa":  # without a LayerNorm before its layers prompts are appended as they are
        assert isinstance(clip.model.visual.ln_pre, torch.nn.Identity)
    if family == "coca":
        clip.model.visual.ln_pre = torch.nn.Identity()
    tower, images = clip.image_tower(), torch.randn(2, 3, *clip.image_size)
    shallow, deep = torch.randn(3, tower.width), [torch.randn(3, tower.width)]
    found = tower(images, shallow, deep)
    assert gap(found, own_way(clip.model.visual, images, shallow, deep)) <= 1e-10
    assert gap(found, tower(images)) > 1e-3
    assert gap(tower(images, shallow, [-deep[0]]), found) > 1e-4
