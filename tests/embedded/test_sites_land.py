import inspect

import numpy as np
import pytest

from npt_plugin.embedded import sites_land
from npt_plugin.embedded.ground import GROUND

SITES = [
    name
    for name, found in inspect.getmembers(sites_land, inspect.isfunction)
    if found.__module__ == sites_land.__name__
]


def is_ground(pixel, name, spread=9):
    return np.abs(pixel - np.array(GROUND[name])).max() <= 4 * spread


def test_there_are_thirteen():
    assert len(SITES) == 13


@pytest.mark.parametrize("name", SITES)
def test_a_site_covers_part_of_the_canvas_and_follows_its_generator(painted, name):
    site = getattr(sites_land, name)
    pixels = painted(site, 1)
    share = (pixels[..., 0] >= 0).mean()
    assert 0.05 < share <= 1
    assert np.array_equal(pixels, painted(site, 1))
    assert not np.array_equal(pixels, painted(site, 2))


@pytest.mark.parametrize(
    "name, places",
    [
        ("beach", {(48, 10): "water"}),
        ("island", {(48, 48): "forest"}),
        ("quarry", {(48, 48): "water"}),
        ("solar", {(8, 6): "panel"}),
        ("wind", {(24, 24): "steel", (76, 74): "steel"}),
        ("baseball", {(62, 48): "lawn", (62, 29): "clay"}),
        ("cemetery", {(20, 47): "dry", (7, 6): "steel"}),
        ("mountain", {(4, 40): "snow", (95, 95): "road"}),
    ],
)
def test_what_stands_where(painted, name, places):
    pixels = painted(getattr(sites_land, name))
    for (row, column), ground in places.items():
        assert is_ground(pixels[row, column], ground), (row, column, ground)


def test_farmland_is_nine_fields_with_paths_between(painted):
    pixels = painted(sites_land.farmland)
    path = pixels[..., 0] < 0
    assert path.all(axis=0).sum() == path.all(axis=1).sum() == 2  # each one pixel wide
    grounds = ("grass", "dry", "soil", "lawn", "sand")
    fields = pixels[~path]
    assert all(any(is_ground(p, name, 12) for name in grounds) for p in np.unique(fields, axis=0))


def test_terraces_alternate_between_two_grounds(painted):
    pixels = painted(sites_land.terraces).reshape(-1, 3)
    seen = np.unique(pixels, axis=0)
    assert len(seen) >= 6
    assert all(is_ground(p, "lawn") or is_ground(p, "marsh") for p in seen if p[0] >= 0)
