"""Shifts of colour and shape by hand, in float32: a few roundings of 255 are below 2e-4."""

import numpy as np
import pytest

from npt_plugin.embedded import shifts


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


def test_stretch_magnifies_the_height_by_the_square_root():
    ramp = np.tile(np.arange(9, dtype=np.float32)[:, None, None], (1, 9, 3))
    out = shifts.stretch(ramp, 4.0)
    assert out[:, 4, 0] == pytest.approx(4 + (np.arange(9) - 4) / 2, abs=1e-4)


def test_hues_turn_about_the_gray_axis():
    pixels = np.random.default_rng(0).uniform(60, 190, (5, 5, 3)).astype(np.float32)
    there_and_back = shifts.turn_hue(shifts.turn_hue(pixels, 20), -20)
    assert there_and_back == pytest.approx(pixels, abs=1e-3)
    assert shifts.turn_hue(pixels, 20).sum(-1) == pytest.approx(pixels.sum(-1), rel=1e-5)
    gray = np.full((1, 1, 3), 77.0, np.float32)
    assert shifts.turn_hue(gray, 63)[0, 0] == pytest.approx([77, 77, 77], abs=1e-4)
