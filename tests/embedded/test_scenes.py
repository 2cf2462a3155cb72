import numpy as np
import pytest

from npt_plugin.embedded.icons import ICON_NAMES
from npt_plugin.embedded.palette import SHADE_NAMES, SHADES
from npt_plugin.embedded.scenes import BACKGROUNDS, STYLES, apply_style, object_scene

CUP, GREEN = ICON_NAMES.index("cup"), SHADE_NAMES.index("green")


def scene(seed=0, icon=CUP, **options):
    return object_scene(np.random.default_rng(seed), icon, GREEN, **options)


def near(pixels, colour, within):
    return np.abs(pixels - np.array(colour)).max(axis=-1) < within


def test_styles_by_hand():
    pixel = np.array([[[100.0, 200.0, 50.0]]], dtype=np.float32)
    luma = 0.3 * 100 + 0.59 * 200 + 0.11 * 50
    expected = {
        "photo": [100, 200, 50],
        "sketch": [100, 200, 50],
        "night": [35, 80, 30],
        "sunset": [124, 148, 22.5],
        "old": [0.95 * luma + 16, 0.82 * luma + 16, 0.62 * luma + 16],
        "fog": [167, 212, 144.5],
    }
    assert set(expected) == set(STYLES)
    for style, value in expected.items():
        assert apply_style(pixel, style)[0, 0] == pytest.approx(value, abs=1e-3), style


def test_a_scene_follows_its_generator_and_has_the_size_of_a_picture():
    picture = scene()
    assert picture.shape == (48, 48, 3) and picture.dtype == np.float32
    assert picture.min() >= 0 and picture.max() <= 255
    assert np.array_equal(picture, scene()) and not np.array_equal(picture, scene(1))


@pytest.mark.parametrize("seed", range(3))
def test_the_object_is_there_in_its_colour(seed):
    shown = near(scene(seed, hard=0.0), SHADES["green"][0], 30)
    assert shown[24, 20] and 0.2 < shown.mean() < 0.7  # an easy scene: large, in the middle


@pytest.mark.parametrize(
    "background, colour",
    [("grass", (96, 140, 60)), ("snow", (236, 240, 246)), ("water", (44, 96, 150))],
)
def test_the_corners_show_the_background(background, colour):
    picture = scene(background=BACKGROUNDS.index(background), hard=0.0)
    corners = picture[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert near(corners, colour, 55).all()  # noise 10 on the colour, 20 of roughness


def test_a_plain_background_contrasts_with_the_object():
    for seed in range(8):
        corner = scene(seed, hard=0.0)[0, 0]
        assert np.abs(corner - np.array(SHADES["green"][0])).max() > 60


def test_a_sketch_has_no_colour():
    picture = scene(style=STYLES.index("sketch"))
    saturation = picture.max(axis=-1) - picture.min(axis=-1)
    assert saturation.max() < 75  # ink is drawn from 10 to 80 in each channel
    assert np.median(picture) > 210 and picture.min() < 120  # paper and ink


def test_squeeze_flattens_the_object():
    def extent(squeeze):
        shown = near(scene(hard=0.0, squeeze=squeeze), SHADES["green"][0], 30)
        rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
        return np.ptp(rows) / np.ptp(columns)

    assert extent(0.5) == pytest.approx(0.5 * extent(1.0), rel=0.15)  # whole pixels


def test_tilt_turns_the_object():
    ladder = ICON_NAMES.index("ladder")
    upright, lying = (scene(icon=ladder, hard=0.0, tilt=tilt) for tilt in (0, 90))
    tall = near(upright, SHADES["green"][0], 30)
    flat = near(lying, SHADES["green"][0], 30)
    assert np.ptp(np.flatnonzero(tall.any(axis=1))) > np.ptp(np.flatnonzero(tall.any(axis=0)))
    assert np.ptp(np.flatnonzero(flat.any(axis=1))) < np.ptp(np.flatnonzero(flat.any(axis=0)))


def test_hard_scenes_spread_the_object():
    """At hard 0 the middle always shows it; at hard 1 it is smaller and anywhere."""
    easy = np.mean([near(scene(s, hard=0.0), SHADES["green"][0], 30).mean() for s in range(12)])
    hard = np.mean([near(scene(s, hard=1.0), SHADES["green"][0], 30).mean() for s in range(12)])
    assert hard < 0.9 * easy
