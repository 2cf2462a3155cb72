import numpy as np
import pytest

from npt_plugin.embedded import palette, world
from npt_plugin.embedded.scenes import STYLES
from npt_plugin.embedded.world import ATTRIBUTES, KINDS, draw_many, draw_world


def test_a_picture_depends_on_seed_and_number_only():
    first, facts = draw_world(3, 17, 0.4)
    draw_world(9, 1, 0.4)  # other draws in between change nothing
    again, same = draw_world(3, 17, 0.4)
    assert first.dtype == np.uint8 and first.shape == (48, 48, 3)
    assert np.array_equal(first, again) and facts == same
    assert not np.array_equal(first, draw_world(4, 17, 0.4)[0])
    assert not np.array_equal(first, draw_world(3, 18, 0.4)[0])


@pytest.fixture(scope="module")
def facts():
    return draw_many(0, 0, 200, 200)[1]


def test_facts_are_in_range_and_fit_the_kind(facts):
    for column, (name, size) in zip(facts.T, ATTRIBUTES.items(), strict=True):
        assert column.min() >= -1 and column.max() < size, name
    kinds = facts[:, 0]
    assert set(kinds) == set(range(len(KINDS)))
    present = facts[:, [1, 3, 4]] >= 0  # icon, texture, layout
    assert np.array_equal(present, kinds[:, None] == np.array([0, 1, 2]))


def test_facts_that_cannot_be_seen_are_not_claimed(facts):
    names = list(ATTRIBUTES)
    shade, background = facts[:, names.index("shade")], facts[:, names.index("background")]
    objects, style = facts[:, 0] == 0, facts[:, names.index("style")]
    sketches, old = style == STYLES.index("sketch"), style == STYLES.index("old")
    assert (shade[objects & (sketches | old)] == -1).all()
    assert (shade[objects & ~(sketches | old)] >= 0).all()
    assert (background[objects & sketches] == -1).all() and (objects & sketches).any()
    assert not (~objects & sketches).any()  # only objects are sketched


def test_a_run_of_pictures_grows_harder(monkeypatch):
    asked = []

    def record(seed, index, hard):
        asked.append((index, hard))
        return np.zeros((48, 48, 3), np.uint8), world.Facts(0)

    monkeypatch.setattr(world, "draw_world", record)
    images, facts = draw_many(0, 90, 93, 100)
    assert images.shape == (3, 48, 48, 3) and facts.dtype == np.int16
    draw_many(0, 0, 1, 100), draw_many(0, 25, 26, 100)
    assert asked == [(90, 0.7), (91, 0.7), (92, 0.7), (0, 0.0), (25, pytest.approx(0.35))]


def test_finishing_adds_noise_of_the_size_asked_for_and_rounds():
    gray = np.full((48, 48, 3), 100.0, np.float32)
    rng = np.random.default_rng(0)
    plain = world.finish(gray, rng, noise=0.0)
    assert plain.dtype == np.uint8 and np.ptp(plain) == 0 and 80 < plain[0, 0, 0] < 120
    noisy = world.finish(gray, rng, noise=5.0).astype(float)
    assert noisy.std() == pytest.approx(5.0, abs=0.3)  # 6912 draws: standard error 0.04
    assert world.finish(gray + 500, rng).min() == 255  # clipped, not wrapped


@pytest.mark.parametrize("seed", range(6))
def test_the_second_colour_is_the_best_of_eight_tries(seed):
    one, two = world.contrasting_pair(np.random.default_rng(seed), apart=90.0)
    rng = np.random.default_rng(seed)
    assert np.array_equal(one, palette.any_rgb(rng))
    tries = [palette.any_rgb(rng) for _ in range(8)]
    assert any(np.array_equal(two, colour) for colour in tries)
    best = max(abs(float((colour - one).mean())) for colour in tries)
    assert abs(float((two - one).mean())) >= min(best, 90.0)
