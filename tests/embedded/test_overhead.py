import numpy as np
import pytest

from npt_plugin.embedded.ground import GROUND
from npt_plugin.embedded.overhead import LAYOUT_NAMES, LAYOUTS, layout_image


@pytest.fixture(scope="module")
def pictures():
    return np.stack([layout_image(k, np.random.default_rng(2)) for k in range(32)])


def test_32_layouts_on_known_grounds():
    assert len(LAYOUT_NAMES) == len(set(LAYOUT_NAMES)) == 32
    assert {ground for ground, _ in LAYOUTS.values()} <= set(GROUND)


def test_pictures_have_size_range_and_content(pictures):
    assert pictures.shape == (32, 48, 48, 3) and pictures.dtype == np.float32
    assert pictures.min() >= 0 and pictures.max() <= 255
    assert (pictures.std(axis=(1, 2)).max(axis=1) > 4).all()  # none is a flat ground


def test_no_two_layouts_look_alike(pictures):
    for i in range(32):
        for j in range(i):
            assert np.abs(pictures[i] - pictures[j]).mean() > 3, (LAYOUT_NAMES[i], LAYOUT_NAMES[j])


def test_a_picture_follows_its_generator(pictures):
    assert np.array_equal(layout_image(4, np.random.default_rng(2)), pictures[4])
    assert not np.array_equal(layout_image(4, np.random.default_rng(3)), pictures[4])


def test_quarter_turns_are_all_drawn():
    """The highway's median is vertical on the canvas: half of all pictures show it lying."""
    lying = 0
    for seed in range(24):
        picture = layout_image(LAYOUT_NAMES.index("highway"), np.random.default_rng(seed), turn=0)
        lying += picture.mean(axis=1).std() > picture.mean(axis=0).std()
    assert 4 <= lying <= 20  # 12 +- 2.4 expected
