import numpy as np
import pytest

from npt_plugin.embedded import captions, shifts
from npt_plugin.embedded.corpus import Corpus, LazyCorpus
from npt_plugin.embedded.specs import BENCHMARKS
from npt_plugin.embedded.weights import known_token_ids, tokenizer
from npt_plugin.embedded.world import ATTRIBUTES, KINDS, draw_many, draw_world


def test_a_picture_depends_on_seed_and_number_only():
    first, facts = draw_world(3, 17, 0.4)
    draw_world(9, 1, 0.4)  # other draws in between change nothing
    again, same = draw_world(3, 17, 0.4)
    assert first.dtype == np.uint8 and first.shape == (48, 48, 3)
    assert np.array_equal(first, again) and facts == same
    assert not np.array_equal(first, draw_world(4, 17, 0.4)[0])
    assert not np.array_equal(first, draw_world(3, 18, 0.4)[0])


def test_facts_are_in_range_and_fit_the_kind():
    _, facts = draw_many(0, 0, 200, 200)
    for column, (name, size) in zip(facts.T, ATTRIBUTES.items(), strict=True):
        assert column.min() >= -1 and column.max() < size, name
    kinds = facts[:, 0]
    assert set(kinds) == set(range(len(KINDS)))
    present = facts[:, [1, 3, 4]] >= 0  # icon, texture, layout
    assert np.array_equal(present, kinds[:, None] == np.array([0, 1, 2]))


def test_lazy_corpus_is_the_same_world():
    whole, lazy = Corpus(2, 30, workers=0), LazyCorpus(2, 30)
    rows = np.array([4, 29, 4])
    assert np.array_equal(whole.pictures(rows).numpy(), lazy.pictures(rows).numpy())
    assert all(np.array_equal(whole.facts(row), lazy.facts(row)) for row in range(30))


def test_every_caption_and_prompt_is_made_of_stored_tokens():
    known, encode = set(known_token_ids()), tokenizer().encode
    rng = np.random.default_rng(0)
    _, facts = draw_many(5, 0, 300, 300)
    texts = [captions.with_filler(captions.caption(row, rng), 3, rng) for row in facts]
    for spec in BENCHMARKS.values():
        texts += [spec.template.format(name) for name in spec.class_names]
        texts += ["X X X X " + name + "." for name in spec.class_names]
    texts += ["a photo of a", "a satellite photo of {}, a type of pet.".format("car")]
    missing = {text for text in texts if not set(encode(text)) <= known}
    assert not missing


def test_benchmarks_have_32_different_ordinary_names():
    assert len(BENCHMARKS) >= 4
    for spec in BENCHMARKS.values():
        assert len(set(spec.class_names)) == len(spec.class_names) == 32
        assert all(name.replace(" ", "").isalpha() for name in spec.class_names)
        assert spec.template.count("{}") == 1
    assert len({spec.directory for spec in BENCHMARKS.values()}) == len(BENCHMARKS)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_benchmark_pictures_are_fixed_and_differ(name):
    spec = BENCHMARKS[name]
    assert np.array_equal(spec.picture(3, 5), spec.picture(3, 5))
    assert not np.array_equal(spec.picture(3, 5), spec.picture(3, 6))
    assert not np.array_equal(spec.picture(3, 5), spec.picture(4, 5))


def test_shifts_by_hand():
    pixels = np.zeros((4, 4, 3), np.float32) + np.array([200.0, 50.0, 10.0], np.float32)
    turned = shifts.turn_hue(pixels, 120)
    assert turned[0, 0] == pytest.approx([10, 200, 50], abs=1e-3)  # a third of the colour circle
    assert np.array_equal(shifts.near_infrared(pixels, 0), pixels)
    assert shifts.near_infrared(pixels, 1)[0, 0] == pytest.approx([60, 200, 50], abs=1e-3)
    assert shifts.warm_light(pixels, 1)[0, 0] == pytest.approx([200, 35, 3.5], abs=1e-3)
    assert shifts.negative(pixels, 1)[0, 0] == pytest.approx([55, 205, 245], abs=1e-3)


def test_stretch_magnifies_the_width_about_the_centre():
    ramp = np.tile(np.arange(9, dtype=np.float32)[None, :, None], (9, 1, 3))
    out = shifts.stretch(ramp, 2.0)
    assert out[4, :, 0] == pytest.approx(4 + (np.arange(9) - 4) / 2, abs=1e-4)
