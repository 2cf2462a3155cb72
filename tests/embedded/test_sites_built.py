import inspect

import numpy as np
import pytest

from npt_plugin.embedded import sites_built
from npt_plugin.embedded.ground import GROUND

SITES = [
    name
    for name, found in inspect.getmembers(sites_built, inspect.isfunction)
    if found.__module__ == sites_built.__name__
]


def is_ground(pixel, name):
    return np.abs(pixel - np.array(GROUND[name])).max() <= 36  # four standard deviations of a tint


def test_there_are_fourteen():
    assert len(SITES) == 14


@pytest.mark.parametrize("name", SITES)
def test_a_site_covers_part_of_the_canvas_and_follows_its_generator(painted, name):
    site = getattr(sites_built, name)
    pixels = painted(site, 1)
    share = (pixels[..., 0] >= 0).mean()
    assert 0.1 < share < 0.95
    assert np.array_equal(pixels, painted(site, 1))
    assert not np.array_equal(pixels, painted(site, 2))


@pytest.mark.parametrize(
    "name, places",
    [
        ("roundabout", {(48, 48): "lawn", (28, 48): "road", (2, 48): "road"}),
        ("stadium", {(48, 48): "lawn", (48, 19): "clay", (48, 9): "steel"}),
        ("pool", {(47, 48): "pool", (26, 40): "white"}),
        ("bridge", {(43, 48): "paved", (20, 5): "grass", (20, 90): "grass"}),
        ("highway", {(50, 48): "lawn", (50, 30): "road"}),
        ("harbor", {(30, 10): "paved", (10, 40): "city"}),
        ("race", {(48, 10): "road", (48, 48): "grass"}),
        ("tennis", {(14, 12): "court"}),
        ("railway", {(48, 28): "steel"}),
        ("airport", {(50, 40): "paved", (22, 68): "city"}),
        ("crossroads", {(48, 2): "road", (2, 48): "road"}),
    ],
)
def test_what_stands_where(painted, name, places):
    pixels = painted(getattr(sites_built, name))
    for (row, column), ground in places.items():
        assert is_ground(pixels[row, column], ground), (row, column, ground)


def test_the_corners_of_a_crossing_stay_empty(painted):
    pixels = painted(sites_built.crossroads)
    for row, column in ((10, 10), (10, 85), (85, 10), (85, 85)):
        assert pixels[row, column, 0] == -1
