"""The tokenizer of a Hugging Face folder: whose it is, and that it belongs to the model."""

import json
import shutil

import pytest

from npt_plugin.backbone.loading import load_clip
from npt_plugin.errors import UserError

pytest.importorskip("open_clip")
pytest.importorskip("transformers")

import clip_families  # noqa: E402
import hugging_face_folders as hugging_face  # noqa: E402

from npt_plugin.backbone.open_clip_tokenizer import HubTexts, SimpleTexts  # noqa: E402


def write(folder, tokenizer="", **text):
    config = hugging_face.clip_config("gelu", **text)
    return hugging_face.write_folder(hugging_face.random_model(config), folder, tokenizer)


def test_clip_s_own_vocabulary_is_read_by_clip_s_own_tokenizer(tmp_path):
    from open_clip.tokenizer import SimpleTokenizer

    folder = write(tmp_path, eos=49407, vocab_size=49408)
    assert isinstance(load_clip(str(folder)).tokenizer, SimpleTexts)
    (folder / "vocab.json").write_text(json.dumps(SimpleTokenizer().encoder))
    tokenizer = load_clip(str(folder)).tokenizer
    assert isinstance(tokenizer, SimpleTexts) and tokenizer(["a fish"]).shape == (1, 16)


def test_another_vocabulary_is_the_folder_s_own(tmp_path):
    clip = load_clip(str(write(tmp_path, clip_families.hub_folder(), eos=1)))
    assert isinstance(clip.tokenizer, HubTexts)
    tokens = clip.tokenizer(["the red fish", "a boat"])
    assert tokens.shape == (2, 16) and clip.ends(tokens).tolist() == [3, 2]


@pytest.mark.parametrize(
    "text, sentence",
    [
        ({"eos": 599}, "ends no text with 599, which its config.json says"),
        ({"eos": 1, "vocab_size": 3}, "gives the id 3, but the model has 3 tokens"),
    ],
)
def test_a_tokenizer_of_another_model_is_refused(tmp_path, text, sentence):
    with pytest.raises(UserError, match=sentence):
        load_clip(str(write(tmp_path, clip_families.hub_folder(), **text)))


def test_a_broken_tokenizer_is_one_sentence(tmp_path):
    folder = write(tmp_path, clip_families.hub_folder(), eos=1)
    shutil.copy(folder / "config.json", folder / "tokenizer.json")
    with pytest.raises(UserError, match="tokenizer of .* could not be loaded") as error:
        load_clip(str(folder))
    assert "\n" not in str(error.value)
