import numpy as np
import pytest

from npt_plugin.embedded.fields import SIZE
from npt_plugin.embedded.textures import TEXTURE_NAMES, texture_field, texture_image


@pytest.fixture(scope="module")
def fields():
    return np.stack([texture_field(k, np.random.default_rng(1)) for k in range(32)])


def test_32_fields_between_the_two_colours(fields):
    assert len(TEXTURE_NAMES) == len(set(TEXTURE_NAMES)) == 32
    assert fields.shape == (32, SIZE, SIZE) and fields.dtype == np.float32
    assert fields.min() >= 0 and fields.max() <= 1
    for name, field in zip(TEXTURE_NAMES, fields, strict=True):
        assert field.std() > 0.05, name  # both colours are seen


def test_no_two_textures_are_alike(fields):
    for i in range(32):
        for j in range(i):
            apart = np.abs(fields[i] - fields[j]).mean()
            assert apart > 0.08, (TEXTURE_NAMES[i], TEXTURE_NAMES[j])


@pytest.mark.parametrize("index", range(32), ids=TEXTURE_NAMES)
def test_a_texture_follows_its_generator(fields, index):
    assert np.array_equal(texture_field(index, np.random.default_rng(1)), fields[index])
    assert not np.array_equal(texture_field(index, np.random.default_rng(2)), fields[index])


def test_upright_stripes_run_down_and_checks_do_not():
    def field(name):
        index = TEXTURE_NAMES.index(name)
        return texture_field(index, np.random.default_rng(0), turn=0)

    stripes, checks = field("striped"), field("checkered")
    assert np.ptp(stripes, axis=0).max() < 1e-5 < np.ptp(stripes, axis=1).min()
    assert np.ptp(checks, axis=0).max() > 0.9


def test_rings_and_spirals_differ_in_their_symmetry():
    """Turned by a half about its own centre a ring pattern stays; a spiral swaps its colours."""

    def odd(name):
        field = texture_field(TEXTURE_NAMES.index(name), Centred(), turn=0)
        return np.abs(field[1:, 1:] - field[:0:-1, :0:-1]).mean()

    assert odd("rings") < 1e-6 and odd("spiral") > 0.5


class Centred:
    """A generator that puts every pattern in the middle of the picture."""

    def normal(self, mean, deviation):
        return mean

    def uniform(self, low, high):
        return (low + high) / 2

    def random(self):
        return 0.0

    def choice(self, options):
        return options[0]


def test_an_image_mixes_the_two_colours_by_the_field():
    one, two = np.array([200.0, 0.0, 50.0]), np.array([0.0, 100.0, 50.0])
    image = texture_image(3, np.random.default_rng(5), one, two)
    field = texture_field(3, np.random.default_rng(5))
    for i, j in ((0, 0), (11, 30), (47, 47)):
        assert image[i, j] == pytest.approx(one + (two - one) * field[i, j])
    assert np.abs(image[..., 2] - 50).max() < 1e-4  # alike in both colours
