"""open_clip's tokenizers behind the interface; a hub's is stood in for by one written to disk."""

import pytest
import torch

pytest.importorskip("open_clip")
from clip_families import hub_folder
from open_clip.tokenizer import HFTokenizer, SimpleTokenizer

from npt_plugin.backbone.open_clip_tokenizer import HubTexts, SimpleTexts, wrap_tokenizer
from npt_plugin.backbone.openai import BytePairs
from npt_plugin.errors import UserError

TEXTS = ["a photo of a Red Kite.", "fish"]


@pytest.fixture(scope="module")
def hub():
    return wrap_tokenizer(HFTokenizer(hub_folder(), 16, clean="canonicalize"))


def test_byte_pairs_are_openai_s():
    simple, own = wrap_tokenizer(SimpleTokenizer()), BytePairs()
    assert isinstance(simple, SimpleTexts) and (simple.starts, simple.length) == (1, 77)
    assert torch.equal(simple(TEXTS), own(TEXTS).long())
    assert simple.encode("Red Kite") == own.encode("Red Kite")
    assert [simple.word(i) for i in simple.encode("red kite")] == ["red", "kite"]
    assert set(simple.words()) == set(own.words()) == set(range(49408 - 2))  # the marks are last
    with pytest.raises(UserError, match="too long for this model's 77 tokens .* needs 78"):
        simple(["a " * 76])
    assert simple(["a " * 75]).shape == (1, 77)


def test_a_hub_s_tokenizer_says_where_words_begin_and_what_pads(hub):
    assert isinstance(hub, HubTexts) and (hub.starts, hub.marks, hub.pad) == (0, 1, 0)
    tokens = hub(TEXTS)
    assert tokens.shape == (2, 16) and tokens[1].tolist()[1:3] == [1, 0]  # an end, padding
    assert [hub.word(i) for i in hub.encode("Red kite.")] == ["red", "kite"]
    words = {hub.word(i) for i in hub.words()}  # the marks are first, the last two are words
    assert {"a", "kite", "type", "pet"} <= words and not {"<pad>", "</s>", "<unk>"} & words
    with pytest.raises(UserError, match="too long for this model's 16 tokens"):
        hub(["a " * 16])
    assert hub(["a " * 15]).shape == (1, 16)


def test_places_of_vectors_are_opened_before_the_words(hub):
    opened = hub.prompts("X X X", TEXTS, 3)
    assert opened.shape == (2, 16)
    assert torch.equal(opened[:, 3:], hub(TEXTS)[:, :-3])
    with pytest.raises(UserError, match="too long .* needs 17"):
        hub.prompts(" ".join(["X"] * 14), ["red kite"], 14)
    assert torch.equal(hub.prompts("a photo", ["fish"], 2), hub(["a photo fish"]))
    with pytest.raises(UserError, match="'- -' has 0 tokens here, not 2"):
        hub.prompts("- -", ["fish"], 2)
