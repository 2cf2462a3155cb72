import numpy as np
import pytest
from PIL import Image, ImageDraw

from npt_plugin.embedded.drawing import paint, place, tones
from npt_plugin.embedded.icons import ICON_NAMES, ICONS


@pytest.fixture(scope="module")
def silhouettes():
    """(32, 48, 48) masks of the icons, upright in the middle."""
    masks = []
    for name in ICON_NAMES:
        image = Image.new("RGB", (48, 48))
        parts = place(ICONS[name], np.array([24.0, 24.0]), np.array([20.0, 20.0]), 0, False)
        paint(ImageDraw.Draw(image), parts, tones(np.array([200.0, 120.0, 90.0])))
        masks.append(np.asarray(image).any(axis=-1))
    return np.stack(masks)


def test_32_icons_within_about_the_unit_square():
    assert len(ICON_NAMES) == len(set(ICON_NAMES)) == 32
    for name, parts in ICONS.items():
        points = np.concatenate([xy for _, xy in parts])
        assert np.abs(points).max() <= 1.1, name
        assert np.ptp(points[:, 1]) > 0.6, name  # none is a dot
        assert {tone for tone, _ in parts} <= {0, 1, 2, 3, 4}, name


def test_every_icon_shows_its_body_colour():
    assert all(any(tone == 0 for tone, _ in parts) for parts in ICONS.values())


def test_silhouettes_differ_pairwise(silhouettes):
    assert silhouettes.any(axis=(1, 2)).all()
    for i in range(32):
        for j in range(i):
            union = (silhouettes[i] | silhouettes[j]).sum()
            apart = (silhouettes[i] ^ silhouettes[j]).sum() / union
            assert apart > 0.1, (ICON_NAMES[i], ICON_NAMES[j])


@pytest.mark.parametrize("name", ["star", "heart", "glasses", "tree", "crown", "arrow"])
def test_symmetric_icons_are_symmetric(name):
    points = np.concatenate([xy for _, xy in ICONS[name]])
    axis = 1 if name == "arrow" else 0  # the arrow lies on its side
    assert points[:, axis].min() == pytest.approx(-points[:, axis].max(), abs=1e-2)
