"""Models of open_clip by name: what is loaded, and one sentence where nothing can be."""

import json

import pytest
import torch
from tolerance import gap

from npt_plugin.backbone.loading import load_clip
from npt_plugin.backbone.open_clip_source import image_config
from npt_plugin.errors import UserError


@pytest.fixture
def families():
    pytest.importorskip("open_clip")
    import clip_families

    return clip_families


@pytest.mark.parametrize("family", ["vit_gelu", "siglip"])
def test_a_folder_written_by_open_clip(families, tmp_path, family):
    folder = families.family_folder(family, tmp_path / "model")
    clip, own = load_clip(f"open_clip:local-dir:{folder}"), families.family_clip(family)
    assert not clip.training and not any(p.requires_grad for p in clip.parameters())
    assert clip.mean[0] == (0.5 if family == "siglip" else own.mean[0])
    images, tokens = torch.randn(1, 3, *own.image_size), own.tokenizer(["a fish"])
    mine, expected = (families.own_features(c, images, tokens) for c in (clip, own))
    assert all(gap(a, b) == 0 for a, b in zip(mine, expected, strict=True))


@pytest.mark.parametrize(
    "name, sentence",
    [
        ("ViT-B16/laion2b", r"knows no architecture 'ViT-B16' \(did you mean 'ViT-B-16'\?\)"),
        ("ViT-B-16", "names no weights: add one of .*laion2b_s34b_b88k"),
        (
            "ViT-B-16/laion3b",
            r"laion3b could not be loaded \(.*laion3b.*\): .*open_clip's own cache",
        ),
        ("local-dir:/nowhere", r"could not be loaded \(.*: /nowhere.*\): .*on this machine"),
    ],
)
def test_what_cannot_be_had_is_one_sentence(families, name, sentence):
    with pytest.raises(UserError, match=sentence) as error:
        load_clip(f"open_clip:{name}")
    assert "\n" not in str(error.value)


def test_weights_out_of_reach_are_one_sentence_with_both_remedies(families, monkeypatch):
    import open_clip

    def broken(*args, **kwargs):
        raise RuntimeError("no route to host")

    monkeypatch.setattr(open_clip.factory, "download_pretrained", broken)
    with pytest.raises(UserError, match="no route to host.*network, or give a file or folder"):
        load_clip("open_clip:ViT-B-16/laion2b_s34b_b88k")


def test_a_path_in_the_name_is_read_by_our_reader(families, tmp_path, monkeypatch):
    """open_clip's own would give SigLIP's weights CLIP's mean, and resize what does not fit."""
    import open_clip

    folder = families.family_folder("vit_gelu", tmp_path / "model")
    config = json.loads((folder / "open_clip_config.json").read_text())["model_cfg"]
    known = {**open_clip.factory._MODEL_CONFIGS, "Mini": config}
    monkeypatch.setattr(open_clip.factory, "_MODEL_CONFIGS", known)
    path = folder / "open_clip_model.safetensors"
    found, own = load_clip(f"open_clip:Mini/{path}"), families.family_clip("vit_gelu")
    assert all(torch.equal(found.state_dict()[k], v) for k, v in own.state_dict().items())
    config["vision_cfg"]["image_size"] = 64
    with pytest.raises(UserError, match="are not those of open_clip:Mini .*size mismatch"):
        load_clip(f"open_clip:Mini/{path}")


def test_images_of_a_name_are_known_without_its_weights(families, tmp_path, monkeypatch):
    import open_clip

    folder = families.family_folder("siglip", tmp_path / "model")
    assert image_config("ViT-L-14-336/openai")["size"] == 336
    siglip = image_config("ViT-B-16-SigLIP-256/webli")
    assert siglip["size"] == 256 and tuple(siglip["mean"]) == (0.5, 0.5, 0.5)
    assert image_config(f"local-dir:{folder}")["mean"] == [0.5] * 3
    config = str(folder / "open_clip_config.json")
    monkeypatch.setattr(
        open_clip.pretrained, "download_pretrained_from_hf", lambda name, filename: config
    )
    assert image_config("hf-hub:org/name")["size"] == 160

    def broken(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr(open_clip.pretrained, "download_pretrained_from_hf", broken)
    with pytest.raises(UserError, match="config of hf-hub:org/name is out of reach"):
        image_config("hf-hub:org/name")
