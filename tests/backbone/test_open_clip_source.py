"""Models of open_clip by name: what is loaded, and one sentence where nothing can be."""

import builtins

import pytest
import torch
from tolerance import gap

from npt_plugin.backbone import open_clip_source
from npt_plugin.backbone.loading import load_clip
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
        ("local-dir:/nowhere", r"could not be loaded \(.*missing: /nowhere.*\)"),
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


def test_without_the_package_it_says_how_to_get_it(monkeypatch):
    plain = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "open_clip":
            raise ModuleNotFoundError("No module named 'open_clip'")
        return plain(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UserError, match=r"pip install 'npt-plugin\[backbones\]'.*OpenAI's or Tiny"):
        open_clip_source.load_open_clip("ViT-B-16/laion2b_s34b_b88k")
