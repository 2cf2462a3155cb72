"""A CLIP from a file or folder: what it is, is seen, said and loaded to the same numbers."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from tolerance import gap

from npt_plugin.backbone.files import Kind, kind_of, weights_in
from npt_plugin.backbone.image_input import image_input
from npt_plugin.backbone.loading import load_clip
from npt_plugin.errors import UserError

pytest.importorskip("open_clip")
pytest.importorskip("transformers")

import clip_families  # noqa: E402
import hugging_face_folders as hugging_face  # noqa: E402
from yacs.config import CfgNode  # noqa: E402


def features(clip, images, tokens):
    """Through our own towers, as a run computes them."""
    cut, ends = clip.cut(tokens)
    text = clip.text_tower()(clip.embed(cut), ends)
    return clip.image_tower()(images), text


def inputs(clip):
    return torch.randn(2, 3, *clip.image_size), clip.tokenizer(["a photo of a boat", "the fish"])


def says_what_it_takes(path, clip, name=""):
    node = CfgNode({"BACKBONE": CfgNode({"NAME": name}), "CLIP_WEIGHTS": str(path)})
    return image_input(node) == (clip.image_size, clip.mean, clip.std)


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory):
    """Hugging Face's folder of a random CLIP with CLIP's own vocabulary."""
    config = hugging_face.clip_config("gelu", eos=49407, vocab_size=49408)
    folder = tmp_path_factory.mktemp("clip")
    return hugging_face.write_folder(hugging_face.random_model(config), folder)


@pytest.fixture(scope="module")
def siglip_folder(tmp_path_factory):
    """Hugging Face's folder of a random SigLIP, with a stand-in tokenizer."""
    model = hugging_face.random_model(hugging_face.siglip_config())
    folder = tmp_path_factory.mktemp("siglip")
    return hugging_face.write_folder(model, folder, clip_families.hub_folder())


@pytest.mark.parametrize("kind", ["clip_folder", "siglip_folder"])
def test_a_folder_of_hugging_face_gives_transformers_features(kind, request):
    from transformers import AutoModel

    folder = request.getfixturevalue(kind)
    clip, theirs = (
        load_clip(str(folder)).double(),
        AutoModel.from_pretrained(folder).eval().double(),
    )
    assert clip.about == "model.safetensors, Hugging Face's layout"
    assert not clip.training and not any(p.requires_grad for p in clip.parameters())
    assert says_what_it_takes(folder, clip)
    assert clip.mean[0] == (0.5 if kind == "siglip_folder" else 0.48145466)
    assert (clip.logit_bias is not None) == (kind == "siglip_folder")
    images, tokens = inputs(clip)
    images = images.double()
    expected = hugging_face.own_features(theirs, images, tokens)
    found = features(clip, images, tokens)
    assert all(gap(a, b) < 1e-10 for a, b in zip(found, expected, strict=True))


def test_the_same_weights_from_open_clip_and_in_hugging_face_s_layout(clip_folder, tmp_path):
    """One random model, written by both libraries."""
    theirs, mine = load_clip(str(clip_folder)), tmp_path / "open_clip"
    mine.mkdir()
    held = json.loads((clip_folder / "config.json").read_text())
    text, vision = held["text_config"], held["vision_config"]
    more = {"mlp_ratio": 35.5 / 16, "norm_kwargs": {"eps": 1e-3}}
    model_cfg = {
        "embed_dim": 12,
        "vision_cfg": {
            **{"image_size": 16, "layers": 2, "width": 24, "head_width": 8, "patch_size": 8},
            "mlp_ratio": 41.5 / 24,
        },
        "text_cfg": {"context_length": 16, "width": 16, "heads": 2, "layers": 3, **more},
    }
    assert (text["hidden_size"], vision["hidden_size"]) == (16, 24)
    (mine / "open_clip_config.json").write_text(json.dumps({"model_cfg": model_cfg}))
    state = {k: v.contiguous() for k, v in theirs.model.state_dict().items()}
    save_file(state, mine / "open_clip_model.safetensors")
    ours = load_clip(str(mine))
    assert ours.about == "open_clip_model.safetensors, open_clip's checkpoint"
    images, tokens = inputs(ours)
    assert torch.equal(theirs.tokenizer(["the fish"]), ours.tokenizer(["the fish"]))
    for a, b in zip(features(ours, images, tokens), features(theirs, images, tokens), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("family", ["vit_gelu", "siglip"])
@pytest.mark.parametrize("form", ["folder", "file", "pickle", "training", "named"])
def test_every_form_of_an_open_clip_checkpoint(family, form, tmp_path, monkeypatch):
    folder = clip_families.family_folder(family, tmp_path / "model")
    whole = folder / "open_clip_model.safetensors"
    own, name, path = clip_families.family_clip(family), "", folder
    if form == "file":
        path = whole.rename(folder / "mine.safetensors")
    elif form == "pickle":
        torch.save(load_file(whole), folder / "epoch_3.pt")
        whole.unlink()
    elif form == "training":
        state = {f"module.{k}": v for k, v in load_file(whole).items()}
        path = folder / "epoch_3.pt"
        torch.save({"epoch": 3, "name": "x", "state_dict": state, "optimizer": {}}, path)
    elif form == "named":  # lies alone; the architecture is one that open_clip knows by name
        import open_clip

        config = folder / "open_clip_config.json"
        known = {
            **open_clip.factory._MODEL_CONFIGS,
            "Mini": json.loads(config.read_text())["model_cfg"],
        }
        if "hf_tokenizer_name" in known["Mini"]["text_cfg"]:
            known["Mini"]["text_cfg"]["hf_tokenizer_name"] = clip_families.hub_folder()
        monkeypatch.setattr(open_clip.factory, "_MODEL_CONFIGS", known)
        path, name = shutil.move(whole, tmp_path / "alone.safetensors"), "open_clip:Mini"
    clip = load_clip(name, str(path))
    assert clip.about.endswith("open_clip's checkpoint")
    images, tokens = inputs(own)
    for a, b in zip(features(clip, images, tokens), features(own, images, tokens), strict=True):
        assert torch.equal(a, b)
    if form != "named":
        assert says_what_it_takes(path, clip, name)
    assert clip.mean[0] == (0.5 if family == "siglip" and form != "named" else 0.48145466)


def test_openai_s_file_is_said_with_its_activation(small_clip_file):
    about = load_clip("", str(small_clip_file)).about
    assert about == "small_clip.pt, OpenAI's state dict or archive, QuickGELU"


def test_shards_and_their_index(clip_folder, siglip_folder, tmp_path):
    for folder in (clip_folder, siglip_folder):
        from transformers import AutoModel

        sharded, whole = tmp_path / folder.name, load_clip(str(folder))
        shutil.copytree(folder, sharded, ignore=shutil.ignore_patterns("*.safetensors"))
        AutoModel.from_pretrained(folder).save_pretrained(sharded, max_shard_size="20KB")
        assert weights_in(sharded).name == "model.safetensors.index.json"
        found = load_clip(str(sharded)).state_dict()
        assert all(torch.equal(found[k], v) for k, v in whole.state_dict().items())
        one = sorted(sharded.glob("model-*.safetensors"))[1]
        one.unlink()
        with pytest.raises(UserError, match=f"names {one.name}, which is not in"):
            load_clip(str(sharded))


def test_a_pickle_of_hugging_face(clip_folder, tmp_path):
    shutil.copy(clip_folder / "config.json", tmp_path)
    torch.save(load_file(clip_folder / "model.safetensors"), tmp_path / "pytorch_model.bin")
    found, whole = load_clip(str(tmp_path)).state_dict(), load_clip(str(clip_folder)).state_dict()
    assert all(torch.equal(found[k], v) for k, v in whole.items())


@pytest.mark.parametrize("kind", ["clip_folder", "siglip_folder"])
@pytest.mark.parametrize("cut", [0, 5, 700, -4000, -1])
def test_a_folder_cut_anywhere_is_one_sentence(kind, cut, request, tmp_path):
    folder = shutil.copytree(request.getfixturevalue(kind), tmp_path / "cut")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:cut])
    with pytest.raises(UserError, match="model.safetensors cannot be read") as error:
        load_clip(str(folder))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ["clip_folder", "siglip_folder"])
@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json"])
def test_a_wrong_config_is_one_sentence(kind, name, request, tmp_path):
    folder = shutil.copytree(request.getfixturevalue(kind), tmp_path / "wrong")
    plain = folder / name
    for text in ("", '{"model_type": "clip"', "[1]", "{]"):
        plain.write_text(text)
        with pytest.raises(UserError, match=f"{name} (cannot be read as JSON|holds no JSON)"):
            load_clip(str(folder))
    plain.unlink()
    if name == "config.json":
        with pytest.raises(UserError, match="config.json does not lie beside it"):
            load_clip(str(folder))
        return
    plain.write_text('{"image_mean": [0.5, "x", 0.5]}')
    with pytest.raises(UserError, match="image_mean is .* not three numbers"):
        load_clip(str(folder))


def test_the_folder_s_own_mean_counts(siglip_folder, tmp_path):
    folder = shutil.copytree(siglip_folder, tmp_path / "mean")
    held = {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6]}
    (folder / "preprocessor_config.json").write_text(json.dumps(held))
    clip = load_clip(str(folder))
    assert clip.mean == (0.1, 0.2, 0.3) and clip.std == (0.4, 0.5, 0.6)
    assert says_what_it_takes(folder, clip)


def test_without_tokenizer_files_only_clip_s_own_vocabulary_is_read(siglip_folder, tmp_path):
    folder = shutil.copytree(siglip_folder, tmp_path / "bare")
    for file in folder.glob("token*"):
        file.unlink()
    with pytest.raises(UserError, match="holds no tokenizer: put tokenizer.json"):
        load_clip(str(folder))


@pytest.mark.parametrize(
    "names, sentence",
    [
        (["fc.weight", "fc.bias"], r"does not hold CLIP weights: .*fc.weight, fc.bias"),
        ([], "does not hold CLIP weights"),
        (
            ["visual.trunk.norm.weight", "text.ln_final.weight"],
            "open_clip_config.json does not lie",
        ),
        (["text_model.x", "vision_model.y"], "config.json does not lie beside it"),
    ],
)
def test_what_is_no_clip_or_lacks_its_config_is_refused(names, sentence, tmp_path):
    with pytest.raises(UserError, match=sentence):
        kind_of(tmp_path / "w.safetensors", names)


def test_names_of_an_architecture_go_with_open_clip_s_layout_only(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    names = ["visual.conv1.weight", "transformer.x", "token_embedding.weight"]
    assert kind_of(tmp_path / "w.pt", names) is Kind.OPENAI
    assert kind_of(tmp_path / "w.pt", names, "ViT-B-16") is Kind.OPEN_CLIP
    assert kind_of(tmp_path / "w.pt", ["text_model.x", "vision_model.y"], "ViT-B-16") is (
        Kind.HUGGING_FACE
    )


def test_a_folder_must_say_which_file_it_is(tmp_path):
    with pytest.raises(UserError, match="there: none"):
        weights_in(tmp_path)
    for name in ("a.pt", "b.pt"):
        (tmp_path / name).touch()
    with pytest.raises(UserError, match=r"there: a.pt, b.pt\): give the file's path"):
        weights_in(tmp_path)
    (tmp_path / "a.pt").unlink()
    assert weights_in(tmp_path).name == "b.pt"
    (tmp_path / "model.safetensors").touch()
    assert weights_in(tmp_path).name == "model.safetensors"
    (tmp_path / "open_clip_model.safetensors").touch()
    assert weights_in(tmp_path).name == "open_clip_model.safetensors"
