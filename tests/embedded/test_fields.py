import math

import numpy as np
import pytest

from npt_plugin.embedded import fields
from npt_plugin.embedded.fields import SIZE


def test_waves_edges_and_cells_by_hand():
    assert fields.wave(np.array([0, 0.25, 0.75, 1])) == pytest.approx([0.5, 1, 0, 0.5])
    assert fields.hard(np.array([-1, 0, 0.05, 1]), 6).tolist() == pytest.approx([0, 0.5, 0.8, 1])
    assert fields.cell(np.array([0, 0.5, 0.75, -0.25])).tolist() == [-0.5, 0, 0.25, 0.25]
    a, b = fields.tile(np.array([1.5]), np.array([2.25]))
    assert (a[0], b[0]) == (0, -0.25)


def test_coordinates_count_columns_and_rows():
    assert fields.X[3, 7] == 7 and fields.Y[3, 7] == 3 and fields.X.shape == (SIZE, SIZE)


@pytest.mark.parametrize("cells", [(2, 2), (5, 40)])
def test_smooth_noise_is_the_bilinear_interpolation_of_its_grid(cells):
    noise = fields.smooth_noise(np.random.default_rng(4), cells)
    rows, columns = cells
    grid = np.random.default_rng(4).random((rows + 2, columns + 2), dtype=np.float32)
    assert noise.shape == (SIZE, SIZE) and noise.dtype == np.float32
    for i, j in ((0, 0), (5, 31), (47, 47), (24, 12)):
        y, x = i * rows / SIZE, j * columns / SIZE
        expected = 0.0
        for p in (0, 1):
            for q in (0, 1):
                weight = (1 - abs(y - int(y) - p)) * (1 - abs(x - int(x) - q))
                expected += weight * float(grid[int(y) + p, int(x) + q])
        assert noise[i, j] == pytest.approx(expected, abs=1e-5)  # float32 coordinates up to 48


def test_nearest_points_against_loops():
    first, second, near = fields.nearest(np.random.default_rng(1), 9)
    points = np.random.default_rng(1).random((9, 2), dtype=np.float32) * SIZE
    for i, j in ((0, 0), (10, 40), (47, 3)):
        distances = [math.dist((i, j), p) for p in points.tolist()]
        order = np.argsort(distances)
        assert near[i, j] == order[0]
        assert first[i, j] == pytest.approx(distances[order[0]], abs=1e-4)
        assert second[i, j] == pytest.approx(distances[order[1]], abs=1e-4)


def test_hexagons_have_their_centres_where_a_honeycomb_has_them():
    row = 0.866  # distance between rows of a honeycomb whose neighbours are 1 apart
    for u, v in ((0.5, row), (1.5, row), (0.0, 0.0), (1.0, 2 * row)):
        assert fields.hexagon(np.array([u]), np.array([v]))[0] == pytest.approx(0, abs=1e-9)
    u, v = np.random.default_rng(0).uniform(0, 5, (2, 1000))
    far = fields.hexagon(u, v)
    assert far.max() < 1 / math.sqrt(3) + 1e-3  # the corner of a hexagon
    assert fields.hexagon(u + 1, v) == pytest.approx(far)
