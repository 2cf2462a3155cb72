"""What an exported program has to know of a backbone, and what is written for it."""

from types import SimpleNamespace

import pytest
from safetensors.torch import load_file

from npt_plugin.backbone.standalone import WEIGHTS, write_backbone


def config(name, weights=""):
    return SimpleNamespace(
        MODEL=SimpleNamespace(CLIP_WEIGHTS=weights, BACKBONE=SimpleNamespace(NAME=name))
    )


@pytest.mark.parametrize(
    "name, library, public",
    [
        ("ViT-B/16", "clip", "ViT-B/16"),
        ("open_clip:ViT-B-16/laion2b_s34b_b88k", "open_clip", "ViT-B-16/laion2b_s34b_b88k"),
        ("open_clip:hf-hub:org/name", "open_clip", "hf-hub:org/name"),
    ],
)
def test_public_names_need_no_file(tmp_path, name, library, public):
    about, written = write_backbone(config(name), tmp_path)
    assert about == {"library": library, "backbone": public} and not written


def test_openai_s_weights_lose_their_token_table(small_clip_file, tmp_path):
    about, (path,) = write_backbone(config("ViT-B/16", str(small_clip_file)), tmp_path)
    assert about == {"library": "clip", "backbone": ""} and path.name == WEIGHTS
    assert load_file(str(path))["token_embedding.weight"].shape == (1, 64)


def test_of_other_models_the_image_tower_is_written(tmp_path):
    pytest.importorskip("open_clip")
    from clip_families import family_folder

    folder = family_folder("vit_gelu", tmp_path / "model")
    about, (path,) = write_backbone(config(f"open_clip:local-dir:{folder}"), tmp_path / "out")
    assert about["library"] == "open_clip" and not about["backbone"]
    assert about["recipe"]["open_clip"]["vision_cfg"]["width"] == 64
    own = load_file(str(folder / "open_clip_model.safetensors"))
    names = {name.removeprefix("visual.") for name in own if name.startswith("visual.")}
    assert load_file(str(path)).keys() == names
