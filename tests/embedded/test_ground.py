import numpy as np
import pytest

from npt_plugin.embedded import ground
from npt_plugin.embedded.ground import GROUND


def changed(pixels):
    return pixels[..., 0] >= 0


def test_a_tint_is_its_ground_within_the_spread():
    rng = np.random.default_rng(0)
    for name, colour in GROUND.items():
        assert ground.tint(name, rng, 0.0) == colour
        drawn = np.array([ground.tint(name, rng, 400.0) for _ in range(20)])
        assert drawn.min() == 0 and drawn.max() == 255
    assert ground.tint("sand", np.random.default_rng(5)) == ground.tint(
        "sand", np.random.default_rng(5)
    )
    assert len(set(GROUND.values())) == len(GROUND)


def test_discs_and_boxes_cover_their_area(painted):
    disc = changed(painted(lambda d, rng: ground.disc(d, 48, 40, 10, (250, 0, 0))))
    assert disc[40, 57] and disc[31, 48] and not disc[40, 60] and not disc[28, 48]
    flat = changed(painted(lambda d, rng: ground.disc(d, 48, 40, 10, (250, 0, 0), 4)))
    assert flat[40, 57] and not flat[34, 48]
    box = changed(painted(lambda d, rng: ground.rect(d, 10, 20, 5, 7, (250, 0, 0))))
    assert box.sum() == 6 * 8 and box[20, 10] and box[27, 15]  # both edges are painted


@pytest.mark.parametrize("seed", range(4))
def test_a_blob_surrounds_the_middle_with_about_its_radius(painted, seed):
    blob = changed(painted(lambda d, rng: ground.blob(d, rng, 25, (250, 0, 0)), seed))
    assert blob[48, 48]
    assert 0.4 < blob.sum() / (np.pi * 25**2) < 1.8


def test_a_curve_runs_from_top_to_bottom_and_is_straight_without_bend():
    points = np.array(ground.curve(np.random.default_rng(0), 14)).reshape(-1, 2)
    assert points[0, 1] == -10 and points[-1, 1] == 106 and (np.diff(points[:, 1]) > 0).all()
    assert 10 < np.ptp(points[:, 0]) <= 28  # twice the bend
    straight = np.array(ground.curve(np.random.default_rng(0), 0)).reshape(-1, 2)
    assert np.ptp(straight[:, 0]) == 0


def test_a_grid_keeps_the_share_asked_for(painted):
    def share(keep):
        return changed(painted(lambda d, rng: ground.grid(d, rng, 16, 11, "city", keep))).mean()

    assert share(0.0) == 0
    assert 0.45 < share(1.0) < 0.75 and share(0.5) < 0.7 * share(1.0)


def test_dots_are_as_many_as_asked_for(painted):
    assert not changed(painted(lambda d, rng: ground.dots(d, rng, 0, 3, 5, "sand"))).any()
    one = changed(painted(lambda d, rng: ground.dots(d, rng, 1, 5, 5.001, "sand"), seed=3))
    assert 0 < one.sum() < 1.3 * np.pi * 5.5**2
    many = changed(painted(lambda d, rng: ground.dots(d, rng, 90, 4, 7, "sand")))
    assert many.mean() > 0.5


def test_stripes_are_vertical_and_evenly_spaced(painted):
    stripes = changed(painted(lambda d, rng: ground.stripes(d, rng, 16, 4, "forest")))
    assert (stripes == stripes[0]).all()
    starts = np.flatnonzero(np.diff(stripes[0].astype(int)) == 1)
    assert np.diff(starts).tolist() == [16] * (len(starts) - 1) and len(starts) >= 5
