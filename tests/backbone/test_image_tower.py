"""The image tower against CLIP's own modules, image by image."""

import pytest
import torch
import torch.nn.functional as F
from tolerance import DOUBLE, gap

from npt_plugin.backbone import image_tower
from npt_plugin.backbone.image_tower import ViT
from npt_plugin.backbone.outputs import normalize

pytestmark = pytest.mark.numerics


def test_images_give_clip_s_own_features(small_clip):
    images, tower = torch.randn(3, 3, 32, 32), small_clip.image_tower()
    assert gap(tower(images), small_clip.model.encode_image(images)) <= DOUBLE
    assert (tower.width, tower.depth, tower.obstacle) == (64, 2, "")


@pytest.mark.parametrize("at_once", [8, 32])
def test_many_images_without_a_graph_are_those_of_one_pass(small_clip, at_once, monkeypatch):
    images, tower = torch.randn(43, 3, 32, 32), small_clip.image_tower()
    monkeypatch.setattr(ViT, "at_once", at_once)
    with torch.no_grad():
        assert gap(tower(images), torch.cat([tower(image[None]) for image in images])) <= DOUBLE


def test_a_small_tower_takes_more_at_a_time_and_leaves_the_same_rest(small_clip, monkeypatch):
    def sizes(images):
        pieces = tower._pieces(torch.arange(images))
        assert torch.equal(torch.cat(pieces), torch.arange(images))
        return [len(piece) for piece in pieces]

    tower = small_clip.image_tower()
    assert tower.at_once == 32
    assert [sizes(n) for n in (83, 40, 32, 3, 0)] == [[32, 32, 16, 3], [32, 8], [32], [3], [0]]
    monkeypatch.setattr(image_tower, "_SMALL", 17 * 64 - 1)  # its tokens x width
    assert tower.at_once == 8
    assert [sizes(n) for n in (19, 16, 0)] == [[8, 8, 3], [8, 8], [0]]


def test_visual_prompts_equal_a_slow_reference(small_clip):
    visual, images = small_clip.model.visual, torch.randn(2, 3, 32, 32)
    shallow, deep = torch.randn(2, 64), torch.randn(2, 64)
    rows = []
    for image in images:
        x = visual.conv1(image[None]).flatten(2)[0].T
        x = torch.cat([visual.class_embedding[None], x]) + visual.positional_embedding
        x = visual.ln_pre(torch.cat([x, shallow]))
        x = visual.transformer.resblocks[0](x[:, None])[:, 0]
        x = torch.cat([x[:-2], deep])
        x = visual.transformer.resblocks[1](x[:, None])[:, 0]
        rows.append(visual.ln_post(x[0]) @ visual.proj)
    assert gap(ViT(visual)(images, shallow, [deep]), torch.stack(rows)) <= DOUBLE


def test_a_resnet_runs_as_it_is(resnet_clip):
    images, tower = torch.randn(2, 3, 32, 32), resnet_clip.image_tower()
    assert "ResNet" in tower.obstacle and tower.dtype == torch.float64
    assert torch.equal(tower(images), resnet_clip.model.encode_image(images))


def test_features_get_unit_norm():
    x = torch.randn(2, 3, 5)
    assert gap(normalize(x), F.normalize(x, dim=-1)) <= DOUBLE
