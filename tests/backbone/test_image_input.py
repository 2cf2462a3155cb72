"""What images a CLIP takes, before it is loaded: the same that it says when it is."""

import importlib

import pytest
import torch
from safetensors.torch import save_file
from yacs.config import CfgNode

from npt_plugin.backbone.image_input import image_input
from npt_plugin.backbone.loading import load_clip
from npt_plugin.backbone.openai import clip_module, openai_names
from npt_plugin.backbone.random_weights import SHAPES


def model_node(name: str = "", weights: str = "") -> CfgNode:
    return CfgNode({"BACKBONE": CfgNode({"NAME": name}), "CLIP_WEIGHTS": weights})


def same_as_loaded(name: str = "", weights: str = "") -> bool:
    loaded = load_clip(name, weights)
    return image_input(model_node(name, weights)) == (loaded.image_size, loaded.mean, loaded.std)


def test_it_is_what_the_loaded_model_says(small_clip_file, resnet_clip_file, tmp_path):
    assert same_as_loaded("Tiny")
    assert same_as_loaded(str(small_clip_file)) and same_as_loaded("RN50", str(small_clip_file))
    assert same_as_loaded("", str(resnet_clip_file))
    save_file(torch.load(small_clip_file, weights_only=True), tmp_path / "same.safetensors")
    assert same_as_loaded("", str(tmp_path / "same.safetensors"))


def test_every_model_of_openai_s_has_a_shape():
    assert set(openai_names()) == set(SHAPES)
    assert image_input(model_node("RN50x16")).size == (384, 384)


def test_the_shapes_are_those_of_the_published_architecture():
    clip = importlib.import_module(f"{clip_module().__name__}.model").CLIP
    with torch.device("meta"):
        assert clip(*SHAPES["ViT-L/14@336px"]).visual.input_resolution == 336


@pytest.mark.parametrize("content", [None, b"noise"])
def test_what_cannot_be_read_is_left_for_loading_to_say(tmp_path, content):
    path = tmp_path / "clip.pt"
    if content:
        path.write_bytes(content)
    assert image_input(model_node("", str(path))) is None
    assert (
        image_input(model_node("nothing of the kind")) is None and image_input(model_node()) is None
    )


def test_a_file_that_changed_is_read_again(small_clip_file, resnet_clip_file, tmp_path):
    path = tmp_path / "clip.pt"
    path.write_bytes(b"noise")
    assert image_input(model_node("", str(path))) is None
    path.write_bytes(small_clip_file.read_bytes())
    assert image_input(model_node("", str(path))).size == (32, 32)
