from dataclasses import astuple

import numpy as np
import pytest

from npt_plugin.backbone.openai import byte_pairs
from npt_plugin.embedded import captions
from npt_plugin.embedded.icons import ICON_NAMES
from npt_plugin.embedded.overhead import LAYOUT_NAMES
from npt_plugin.embedded.palette import SHADE_NAMES, SHADES
from npt_plugin.embedded.scenes import BACKGROUNDS, STYLES
from npt_plugin.embedded.specs import BENCHMARKS
from npt_plugin.embedded.textures import TEXTURE_NAMES
from npt_plugin.embedded.weights import known_token_ids
from npt_plugin.embedded.world import Facts, draw_many


def said(facts, n=300, **options):
    rng = np.random.default_rng(0)
    return [captions.caption(np.array(astuple(facts)), rng, **options) for _ in range(n)]


def test_a_texture_and_a_layout_are_always_named():
    assert all(TEXTURE_NAMES[5] in text for text in said(Facts(kind=1, texture=5)))
    assert all(LAYOUT_NAMES[7] in text for text in said(Facts(kind=2, layout=7)))


def test_an_object_is_named_or_at_least_its_colour():
    name, shade = ICON_NAMES[3], SHADE_NAMES[14]
    words = (shade, SHADES[shade][1])
    texts = said(Facts(kind=0, icon=3, shade=14, background=0))
    assert all(name in text or any(word in text for word in words) for text in texts)
    only_colour = sum(name not in text for text in texts) / len(texts)
    assert 0.1 < only_colour < 0.25  # asked for: 0.17
    both = sum(name in text and any(word in text for word in words) for text in texts) / len(texts)
    assert 0.28 < both < 0.47  # 0.83 x 0.45
    exact = sum(shade in text for text in texts) / sum(any(w in t for w in words) for t in texts)
    assert 0.7 < exact < 0.9  # the plain word is said one time in five


def test_the_share_of_plain_names_is_an_argument():
    texts = said(Facts(kind=0, icon=3, shade=14, background=0), plain=1.0)
    words = (SHADE_NAMES[14], SHADES[SHADE_NAMES[14]][1])
    assert not any(ICON_NAMES[3] in t and any(word in t for word in words) for t in texts)


@pytest.mark.parametrize("style", STYLES[1:])
def test_styles_are_said_and_only_of_pictures_that_have_them(style):
    words = {
        "sketch": ("sketch", "drawing"),
        "night": ("night", "dark"),
        "sunset": ("sunset", "warm"),
        "old": ("old", "faded"),
        "fog": ("fog", "pale"),
    }[style]
    texts = said(Facts(kind=0, icon=3, background=0, style=STYLES.index(style)))
    share = sum(any(word in text for word in words) for text in texts) / len(texts)
    assert 0.5 < share < 0.7  # asked for: 0.6
    plain = said(Facts(kind=0, icon=3, background=0, style=0))
    assert not any(word in text.split() for word in words for text in plain)


def test_places_are_said_of_three_in_ten():
    texts = said(Facts(kind=0, icon=3, background=BACKGROUNDS.index("snow")))
    assert 0.22 < sum("on snow" in text for text in texts) / len(texts) < 0.38


def test_layouts_keep_their_sentence_under_a_style():
    texts = said(Facts(kind=2, layout=7, style=STYLES.index("old")))
    old = [text for text in texts if text.startswith("an old ")]
    assert 0.4 < len(old) / len(texts) < 0.6
    assert all(LAYOUT_NAMES[7] in text and text.endswith(".") for text in old)
    assert not any(text.startswith("an old a ") for text in old)


def test_filler_goes_before_the_caption():
    text = captions.with_filler("a cup.", 5, np.random.default_rng(0))
    assert text.endswith(" a cup.") and len(text.split()) == 7
    assert captions.with_filler("a cup.", 0, np.random.default_rng(0)) == "a cup."


def test_every_caption_and_prompt_is_made_of_stored_tokens():
    known, encode = set(known_token_ids()), byte_pairs().encode
    rng = np.random.default_rng(0)
    _, facts = draw_many(5, 0, 300, 300)
    texts = [captions.with_filler(captions.caption(row, rng), 3, rng) for row in facts]
    for spec in BENCHMARKS.values():
        texts += [spec.template.format(name) for name in spec.class_names]
        texts += ["X X X X " + name + "." for name in spec.class_names]
    texts += ["a photo of a", "a satellite photo of {}, a type of pet.".format("car")]
    missing = {text for text in texts if not set(encode(text)) <= known}
    assert not missing
