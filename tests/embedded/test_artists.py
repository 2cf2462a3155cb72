"""Two hands that the tiny CLIP has not seen: what they keep of an object, and what they change."""

import numpy as np
import pytest

from npt_plugin.embedded import artists, batches, world
from npt_plugin.embedded.icons import ICON_NAMES
from npt_plugin.embedded.overhead import LAYOUT_NAMES, layout_image

HANDS = [(artists.poster, ICON_NAMES), (artists.woodcut, LAYOUT_NAMES)]


@pytest.mark.parametrize("draw, names", HANDS)
def test_every_name_is_drawn_each_time_a_little_differently(draw, names):
    for name in names:
        one, two = (draw(name, np.random.default_rng(seed)) for seed in (1, 2))
        assert one.shape == (48, 48, 3) and one.min() >= 0 and one.max() <= 255
        assert np.array_equal(one, draw(name, np.random.default_rng(1)))
        assert np.abs(one - two).mean() > 3


def test_a_poster_has_the_printer_s_inks_and_not_the_named_shades():
    found = np.concatenate(
        [artists.poster("car", np.random.default_rng(s)).reshape(-1, 3) for s in range(40)]
    )
    assert all(np.abs(found - ink).max(axis=1).min() < 12 for ink in artists._INKS)


def test_a_woodcut_lets_the_light_places_stand():
    rng = [np.random.default_rng(7) for _ in range(2)]
    light = layout_image(LAYOUT_NAMES.index("river"), rng[0]).mean(axis=-1)
    cut = artists.woodcut("river", rng[1]).mean(axis=-1)
    blurred = [
        np.add.reduceat(np.add.reduceat(a, range(0, 48, 6), 0), range(0, 48, 6), 1)
        for a in (light, cut)
    ]
    assert np.corrcoef(blurred[0].ravel(), blurred[1].ravel())[0, 1] > 0.9


def test_the_world_of_pretraining_knows_neither_hand():
    assert not any("artists" in vars(module) for module in (world, batches))
