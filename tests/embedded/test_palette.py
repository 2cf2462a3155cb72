import numpy as np

from npt_plugin.embedded.palette import SHADE_NAMES, SHADES, any_rgb, shade_rgb

PLAIN = {"red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "white", "gray"}


def test_32_shades_that_can_be_told_apart():
    colours = np.array([rgb for rgb, _ in SHADES.values()], dtype=float)
    assert len(SHADE_NAMES) == len(set(SHADE_NAMES)) == 32
    assert colours.min() >= 0 and colours.max() <= 255
    apart = np.linalg.norm(colours[:, None] - colours, axis=-1) + 1e9 * np.eye(32)
    assert apart.min() > 30  # four times the noise of one shade
    assert {plain for _, plain in SHADES.values()} == PLAIN | {"black"}


def test_a_shade_without_jitter_is_the_one_in_the_table():
    rng = np.random.default_rng(0)
    for index, name in enumerate(SHADE_NAMES):
        assert shade_rgb(index, rng, jitter=0).tolist() == list(SHADES[name][0])


def test_jitter_has_the_size_asked_for_and_stays_in_range():
    rng = np.random.default_rng(0)
    gray = np.stack([shade_rgb(SHADE_NAMES.index("gray"), rng, 7.0) for _ in range(2000)])
    assert np.abs(gray.std(axis=0) - 7).max() < 0.5  # 4.5 standard errors, 7 / sqrt(4000)
    wild = np.stack([shade_rgb(SHADE_NAMES.index("black"), rng, 300.0) for _ in range(100)])
    assert wild.min() == 0 and wild.max() == 255


def test_any_colour_fills_the_cube_and_follows_the_seed():
    drawn = np.stack([any_rgb(np.random.default_rng(seed)) for seed in range(500)])
    assert drawn.shape == (500, 3) and drawn.dtype == np.float32
    assert 0 <= drawn.min() < 5 and 250 < drawn.max() < 255
    assert np.array_equal(drawn[3], any_rgb(np.random.default_rng(3)))
