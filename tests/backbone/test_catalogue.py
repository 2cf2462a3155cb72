"""The table of backbones: its numbers are those of the architectures."""

import pytest
import torch

from npt_plugin.backbone.catalogue import CATALOGUE
from npt_plugin.backbone.loading import available_backbones, load_clip
from npt_plugin.backbone.openai import part_of_clip
from npt_plugin.backbone.random_weights import SHAPES


def millions(model):
    return sum(p.numel() for p in model.parameters()) / 1e6


def test_every_name_that_is_accepted_alone_stands_in_it():
    assert [name for name in CATALOGUE if ":" not in name] == available_backbones()


@pytest.mark.parametrize("name", ["RN50x4", "ViT-B/16", "ViT-L/14@336px"])
def test_openai_s_numbers(name):
    with torch.device("meta"):
        model = part_of_clip("model").CLIP(*SHAPES[name])
    assert CATALOGUE[name].millions == pytest.approx(millions(model), abs=0.05)
    assert CATALOGUE[name].pixels == SHAPES[name][1]


def test_tiny_s_numbers():
    tiny = load_clip("Tiny")
    assert CATALOGUE["Tiny"].millions == pytest.approx(millions(tiny), abs=0.05)
    assert CATALOGUE["Tiny"].pixels == tiny.image_size[0]


def test_open_clip_knows_the_others_and_their_sizes():
    open_clip = pytest.importorskip("open_clip")
    for name, known in CATALOGUE.items():
        if ":" in name:
            architecture, _, tag = name.partition(":")[2].partition("/")
            assert open_clip.get_pretrained_cfg(architecture, tag), name
            config = open_clip.get_model_config(architecture)
            assert config["vision_cfg"]["image_size"] == known.pixels, name
    with torch.device("meta"):
        model = open_clip.model.CLIP(**open_clip.get_model_config("ViT-B-32"))
    listed = CATALOGUE["open_clip:ViT-B-32/laion2b_s34b_b79k"].millions
    assert listed == pytest.approx(millions(model), abs=0.05)
