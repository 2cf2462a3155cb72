"""Hugging Face's layout as open_clip's modules: features equal transformers' own."""

import pytest
import torch
from tolerance import gap

from npt_plugin.errors import UserError

pytest.importorskip("open_clip")
pytest.importorskip("transformers")

from hugging_face_folders import clip_config, own_features, random_model, siglip_config  # noqa: E402

from npt_plugin.backbone.hugging_face import build_model, open_clip_names  # noqa: E402
from npt_plugin.backbone.hugging_face_config import read_config  # noqa: E402

CASES = {
    "quick_gelu": clip_config("quick_gelu"),
    "gelu": clip_config("gelu"),
    "tanh": clip_config("gelu_pytorch_tanh"),
    "eos_2": clip_config(eos=2),
    "eos_in_the_middle": clip_config(eos=300),
    "siglip": siglip_config(),
    "siglip_gelu": siglip_config("gelu"),
    "siglip_quick_gelu": siglip_config("quick_gelu"),
}


def converted(model):
    return build_model(read_config(model.config.to_dict(), "x"), model.state_dict(), "x")[0].eval()


def batch(model):
    vision, text = model.config.vision_config, model.config.text_config
    tokens = torch.randint(3, 290, (4, text.max_position_embeddings))
    tokens[0, 5], tokens[0, 3], tokens[1:, 7] = 599, 300, 300  # ends at places of their own
    tokens[1:, 9], tokens[:, 12] = 599, 599
    return torch.randn(2, 3, vision.image_size, vision.image_size), tokens


@pytest.mark.numerics
@pytest.mark.parametrize("case", CASES)
def test_features_equal_transformers(case):
    theirs = random_model(CASES[case])
    ours, (images, tokens) = converted(theirs), batch(theirs)
    expected = own_features(theirs, images, tokens)
    found = ours.encode_image(images), ours.encode_text(tokens)
    assert all(gap(a, b) < 1e-10 for a, b in zip(found, expected, strict=True))
    assert torch.equal(ours.logit_scale, theirs.logit_scale)
    if "siglip" in case:
        assert torch.equal(ours.logit_bias, theirs.logit_bias)


@pytest.mark.parametrize("config", [clip_config(), siglip_config()], ids=["clip", "siglip"])
def test_a_tensor_missing_left_over_or_of_another_shape_is_named(config):
    model = random_model(config)
    state = model.state_dict()
    name = "text_model.encoder.layers.1.mlp.fc1.bias"
    for change, sentence in (
        ({name: None}, r"are not those of its config.json \(.*fc"),
        ({name: torch.ones(3)}, r"size mismatch"),
        ({"text_model.more": torch.ones(3)}, "text_model.more"),
        ({"text_model.encoder.layers.1.self_attn.k_proj.bias": None}, "k_proj"),
        ({"vision_model.embeddings.position_embedding.weight": None}, "position"),
    ):
        wrong = {k: v for k, v in {**state, **change}.items() if v is not None}
        with pytest.raises(UserError, match=sentence) as error:
            build_model(read_config(config.to_dict(), "x"), wrong, "x")
        assert "\n" not in str(error.value)


def test_towers_of_two_activations_are_refused():
    config = clip_config()
    config.vision_config.hidden_act = "gelu"
    with pytest.raises(UserError, match="one tower has QuickGELU and the other has not"):
        build_model(read_config(config.to_dict(), "x"), random_model(config).state_dict(), "x")


def test_buffers_of_old_files_are_left_out():
    state = random_model(clip_config()).state_dict()
    old = {**state, "text_model.embeddings.position_ids": torch.arange(16)[None]}
    assert open_clip_names("clip", old).keys() == open_clip_names("clip", state).keys()
