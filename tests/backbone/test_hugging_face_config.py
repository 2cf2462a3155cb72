"""config.json of Hugging Face's CLIP and SigLIP: defaults as transformers', and what is refused."""

import copy

import pytest

from npt_plugin.backbone.hugging_face_config import read_config
from npt_plugin.errors import UserError

PLAIN = {"model_type": "clip", "text_config": {}, "vision_config": {}}


def test_what_a_file_leaves_out_is_transformers_default():
    transformers = pytest.importorskip("transformers")
    for kind, library in (("clip", transformers.CLIPConfig), ("siglip", transformers.SiglipConfig)):
        ours, theirs = read_config({"model_type": kind}, "x"), library()
        for tower in ("text", "vision"):
            for key, value in getattr(ours, tower).items():
                assert value == getattr(getattr(theirs, f"{tower}_config"), key), (kind, key)
        assert ours.dim == (512 if kind == "clip" else 768)


def test_a_config_of_an_old_version_counts_as_it_did_there():
    old = {**PLAIN, "text_config": {"hidden_size": 8}, "text_config_dict": {"hidden_size": 1024}}
    assert read_config(old, "x").text["hidden_size"] == 1024
    assert read_config({**old, "text_config_dict": None}, "x").text["hidden_size"] == 8


@pytest.mark.parametrize(
    "tower, change, sentence",
    [
        ("", {"model_type": "blip"}, "x describes a model of type 'blip'.*clip and siglip"),
        ("", {"model_type": None}, "a model of type None"),
        ("", {"text_config": [1]}, r"text_config is \[1\], not an object"),
        ("", {"projection_dim": "wide"}, "a projection to wide dimensions"),
        ("text", {"hidden_act": "relu"}, "hidden_act of text_config is relu; quick_gelu"),
        ("vision", {"hidden_size": 7.5}, "hidden_size of vision_config is 7.5"),
        ("vision", {"image_size": [224, 200]}, r"image_size of vision_config is \[224, 200\]"),
        ("text", {"num_attention_heads": 7}, "7 heads of text_config do not divide its width 512"),
        ("text", {"num_hidden_layers": 0}, "num_hidden_layers of text_config is 0"),
        ("text", {"layer_norm_eps": None}, "layer_norm_eps of text_config is None"),
        ("text", {"eos_token_id": [1, 2]}, r"eos_token_id of text_config is \[1, 2\]"),
    ],
)
def test_what_is_not_run_is_one_sentence(tower, change, sentence):
    config = copy.deepcopy(PLAIN)
    (config[f"{tower}_config"] if tower else config).update(change)
    with pytest.raises(UserError, match=sentence) as error:
        read_config(config, "x")
    assert "\n" not in str(error.value)


def test_a_siglip_without_its_pooling_head_has_no_feature():
    config = {"model_type": "siglip", "vision_config": {"vision_use_head": False}}
    with pytest.raises(UserError, match="without a pooling head"):
        read_config(config, "x")
