"""``npt doctor --backbone``: one image and one text, or one sentence."""

import pytest
import torch

from npt_plugin.cli import main as cli


def lines_of(capsys, name):
    assert cli.main(["doctor", "--backbone", str(name)]) == 0
    lines = capsys.readouterr().out.splitlines()
    return {line[:13].strip(): line[14:] for line in lines}


def test_tiny_says_all_of_itself(capsys):
    found = lines_of(capsys, "Tiny")
    assert "48 x 48 px, mean 0.481, 0.458, 0.408" in found["images"]
    assert "-> (1, 128), norm " in found["image"] and "finite" in found["image"]
    assert found["text"].startswith("'a photo of a cat', 7 of 77 tokens -> (1, 128)")
    assert found["logit"].startswith("scale 17.53, bias none, cosine ")
    assert found["prompts"] == "in the text and in the image" and found["tokens"] == "read"


@pytest.mark.parametrize("family", ["siglip", "convnext"])
def test_other_families_say_bias_and_obstacles(family, capsys, tmp_path):
    pytest.importorskip("open_clip")
    from clip_families import family_folder

    found = lines_of(capsys, family_folder(family, tmp_path))
    assert "open_clip's checkpoint" in found["model"]
    assert ("bias -10" in found["logit"]) == (family == "siglip")
    assert found["text tower"] == (
        "whole length" if family == "siglip" else "causal: cut, start shared"
    )
    assert ("in the text alone, as" in found["prompts"]) == (family == "convnext")
    assert found["tokens"].startswith("not read, as")


def test_a_backbone_that_is_not_there_or_damaged_is_one_sentence(small_clip_file, capsys, tmp_path):
    assert cli.main(["doctor", "--backbone", "ViT-B-16"]) == 2
    assert "neither a known CLIP nor a file" in capsys.readouterr().err
    state = torch.load(small_clip_file, weights_only=True)
    state["visual.proj"][0] = float("nan")
    torch.save(state, tmp_path / "nan.pt")
    assert cli.main(["doctor", "--backbone", str(tmp_path / "nan.pt")]) == 2
    assert "image feature of" in capsys.readouterr().err
