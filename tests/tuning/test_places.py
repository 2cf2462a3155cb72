"""Where towers can be tuned: all of their weights, each at its depth."""

import torch

from npt_plugin.backbone.image_tower import ImageTower
from npt_plugin.tuning.places import image_places


def test_all_weights_of_a_tower_are_known_with_their_depth(clip, places):
    image, text, clip = places("image"), places("text"), clip.model
    assert {id(p) for p in image.weights()} == {id(p) for p in clip.visual.parameters()}
    rest = {id(p) for p in clip.parameters()} - {id(p) for p in clip.visual.parameters()}
    assert {id(p) for p in text.weights()} == rest - {id(clip.logit_scale)}
    for found, first, last in (
        (image, [clip.visual.conv1.weight, clip.visual.ln_pre.weight], clip.visual.proj),
        (text, [clip.token_embedding.weight, clip.positional_embedding], clip.text_projection),
    ):
        depths = found.depths()
        assert set(map(id, depths)) == {id(p) for p in found.weights()}
        assert [depths[p] for p in first] == [0, 0]
        assert depths[last] == depths[found.norm.weight] == 3
        for number, block in enumerate(found.blocks, start=1):
            assert {depths[p] for p in block.module.parameters()} == {number}


def test_norms_are_those_of_blocks_and_outside(places):
    assert len(places("image").norms()) == 2 * 2 + 2
    assert len(places("text").norms()) == 2 * 2 + 1


def test_a_resnet_has_weights_and_no_blocks():
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), torch.nn.BatchNorm2d(4))
    found = image_places(ImageTower(net, 4, "it is a ResNet"))
    assert not found.blocks and len(found.weights()) == 4
    assert set(found.depths().values()) == {0}
