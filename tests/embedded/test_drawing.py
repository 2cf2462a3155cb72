import math

import numpy as np
import pytest
from PIL import Image, ImageDraw

from npt_plugin.embedded import drawing


def canvas(colour=(0, 0, 0)):
    image = Image.new("RGB", (40, 40), colour)
    return image, ImageDraw.Draw(image)


def test_boxes_and_polygons_are_their_corners():
    tone, points = drawing.box(3, -1, 0, 0.5, 2)
    assert tone == 3 and points.tolist() == [[-1, 0], [0.5, 0], [0.5, 2], [-1, 2]]
    assert drawing.poly(1, 0, 1, 2, 3)[1].tolist() == [[0, 1], [2, 3]]


def test_ovals_satisfy_the_equation_of_an_ellipse():
    _, points = drawing.oval(0, 0.2, -0.1, 0.5, 0.25)
    assert (((points - [0.2, -0.1]) / [0.5, 0.25]) ** 2).sum(1) == pytest.approx(np.ones(25))
    _, pie = drawing.oval(0, 0, 0, 1, 1, 180, 360)
    assert pie[:, 1].max() <= 1e-12  # y runs downwards: the upper half


def test_a_ring_has_a_rim_and_a_hole():
    radii = np.linalg.norm(drawing.ring(0, 0, 0, 0.9, 0.4)[1], axis=1)
    assert radii == pytest.approx(np.repeat([0.9, 0.4], 25))


def test_a_star_starts_at_the_top_and_alternates():
    _, points = drawing.star(0, 5, 0.42)
    assert points[0] == pytest.approx([0, -1])
    assert np.linalg.norm(points, axis=1) == pytest.approx(np.tile([1, 0.42], 5))


def test_tones_of_one_colour_by_hand():
    assert drawing.tones(np.array([100.0, 200.0, 255.0])) == [
        (100, 200, 255),
        (62, 124, 158),
        (170, 225, 255),
        (30, 42, 48),
        (232, 244, 250),
    ]


@pytest.mark.parametrize(
    "angle, mirror, expected",
    [
        (0, False, [50 + 10, 40 + 10]),  # (1, 0.5) x (10, 20)
        (0, True, [50 - 10, 40 + 10]),
        (90, False, [50 - 10, 40 + 10]),  # clockwise on a canvas whose y runs downwards
        (180, False, [50 - 10, 40 - 10]),
    ],
)
def test_placing_mirrors_scales_turns_and_moves(angle, mirror, expected):
    icon = [drawing.poly(2, 1, 0.5)]
    ((tone, points),) = drawing.place(
        icon, np.array([50.0, 40.0]), np.array([10.0, 20.0]), angle, mirror
    )
    assert tone == 2 and points[0] == pytest.approx(expected)


def test_placing_keeps_distances_when_both_radii_are_equal():
    icon = [drawing.star(0, 5, 0.4)]
    ((_, points),) = drawing.place(icon, np.zeros(2), np.full(2, 3.0), 33.0, True)
    original = icon[0][1]
    assert math.dist(points[0], points[3]) == pytest.approx(3 * math.dist(original[0], original[3]))


def test_painting_fills_and_later_parts_cover_earlier_ones():
    image, draw = canvas()
    fills = [(10, 0, 0), (20, 0, 0), (30, 0, 0), (40, 0, 0), (50, 0, 0)]
    drawing.paint(draw, [drawing.box(0, 5, 5, 30, 30), drawing.box(4, 10, 10, 20, 20)], fills)
    red = np.asarray(image)[..., 0]
    assert red[7, 7] == 10 and red[15, 15] == 50 and red[35, 35] == 0


def test_a_sketch_is_ink_around_paper():
    image, draw = canvas((9, 9, 9))
    drawing.sketch(draw, [drawing.box(0, 5, 5, 30, 30)], (1, 1, 1), (200, 200, 200), 3)
    red = np.asarray(image)[..., 0]
    assert red[17, 17] == 200 and red[5, 17] == red[17, 30] == red[17, 5] == 1 and red[38, 38] == 9
