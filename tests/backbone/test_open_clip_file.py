"""A checkpoint of open_clip's and its architecture: whatever does not fit is one sentence."""

import json

import pytest
import torch

from npt_plugin.backbone.loading import load_clip
from npt_plugin.errors import UserError

pytest.importorskip("open_clip")

import clip_families  # noqa: E402

from npt_plugin.backbone.open_clip_file import image_config  # noqa: E402


@pytest.fixture
def folder(tmp_path):
    return clip_families.family_folder("vit_gelu", tmp_path / "model")


def rewrite(folder, change):
    path = folder / "open_clip_config.json"
    held = json.loads(path.read_text())
    change(held)
    path.write_text(json.dumps(held))


@pytest.mark.parametrize(
    "change, sentence",
    [
        (lambda c: c["model_cfg"]["vision_cfg"].update(width=96), "size mismatch.*belongs to them"),
        (lambda c: c["model_cfg"]["vision_cfg"].update(layers=3), "Missing key.*belongs to them"),
        (lambda c: c["model_cfg"]["vision_cfg"].update(layers=1), "Unexpected key"),
        (lambda c: c["model_cfg"]["vision_cfg"].update(image_size=64), "size mismatch"),
        (lambda c: c["model_cfg"]["text_cfg"].update(context_length=16), "size mismatch"),
        (
            lambda c: c["model_cfg"]["text_cfg"].update(wings=2),
            "No model could be built as .*wings",
        ),
        (lambda c: c["model_cfg"].update(text_cfg=[1]), "no model_cfg with two towers"),
        (lambda c: c.pop("model_cfg"), "no model_cfg with two towers"),
        (lambda c: c.update(model_cfg=3), "no model_cfg with two towers"),
    ],
)
def test_a_config_of_another_model_is_one_sentence(folder, change, sentence):
    rewrite(folder, change)
    with pytest.raises(UserError, match=sentence) as error:
        load_clip(str(folder))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "{", "[1, 2]"])
def test_a_config_that_is_no_json_is_one_sentence(folder, text):
    (folder / "open_clip_config.json").write_text(text)
    with pytest.raises(UserError, match="open_clip_config.json (cannot be read|holds no JSON)"):
        load_clip(str(folder))


@pytest.mark.parametrize("cut", [0, 7, 800, -3000, -1])
def test_a_checkpoint_cut_anywhere_is_one_sentence(folder, cut):
    path = folder / "open_clip_model.safetensors"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(UserError, match="open_clip_model.safetensors cannot be read"):
        load_clip(str(folder))


def test_a_tokenizer_that_is_nowhere_is_one_sentence(tmp_path, monkeypatch):
    import open_clip

    def out_of_reach(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr(open_clip.tokenizer, "HFTokenizer", out_of_reach)
    folder = clip_families.family_folder("siglip", tmp_path / "model")
    for file in folder.glob("token*"):
        file.unlink()
    with pytest.raises(
        UserError, match="tokenizer of .* could not be loaded .*no route.*into the folder"
    ):
        load_clip(str(folder))


def test_images_of_an_architecture_are_those_of_its_weights(tmp_path):
    """SigLIP's differ from CLIP's; where an architecture has weights of both, a tag must say."""
    from open_clip import get_pretrained_cfg, list_pretrained

    file = tmp_path / "w.pt"
    assert tuple(image_config(file, "ViT-B-16-SigLIP")["mean"]) == (0.5, 0.5, 0.5)
    assert image_config(file, "ViT-B-16-SigLIP-384")["size"] == 384
    assert image_config(file, "ViT-B-16/openai")["size"] == 224
    means = {}
    for name, tag in list_pretrained():
        means.setdefault(name, set()).add(str(get_pretrained_cfg(name, tag).get("mean")))
    mixed = [name for name, found in means.items() if len(found) > 1]
    assert mixed  # there are some
    with pytest.raises(UserError, match="say which yours are like, as in open_clip:"):
        image_config(file, mixed[0])


@pytest.mark.parametrize(
    "name, sentence",
    [("ViT-B16", "did you mean 'ViT-B-16'"), ("ViT-B-16/none", "no weights 'none' of ViT-B-16")],
)
def test_an_unknown_architecture_is_refused(tmp_path, name, sentence):
    torch.save({"visual.x": torch.ones(1)}, tmp_path / "w.pt")
    with pytest.raises(UserError, match=sentence):
        load_clip(f"open_clip:{name}", str(tmp_path / "w.pt"))
