"""Flat vector parts, and the code that puts an object made of them on a canvas.

Coordinates run from -1 to 1, y downwards. A part is ``(tone, points)`` with points (N, 2). Tone 0
is the body colour, 1 darker, 2 lighter, 3 near black, 4 near white.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from PIL import ImageDraw

Part = tuple[int, np.ndarray]
Colour = tuple[int, int, int]


def poly(tone: int, *xy: float) -> Part:
    """A polygon from x, y, x, y, ..."""
    return tone, np.array(xy, dtype=np.float64).reshape(-1, 2)


def box(tone: int, x0: float, y0: float, x1: float, y1: float) -> Part:
    """A box with sides along the axes."""
    return poly(tone, x0, y0, x1, y0, x1, y1, x0, y1)


def oval(
    tone: int, cx: float, cy: float, rx: float, ry: float, a0: float = 0, a1: float = 360
) -> Part:
    """An ellipse, or the pie between two angles in degrees."""
    angle = np.radians(np.linspace(a0, a1, 25))
    return tone, np.stack([cx + rx * np.cos(angle), cy + ry * np.sin(angle)], axis=1)


def ring(
    tone: int, cx: float, cy: float, outer: float, inner: float, a0: float = 0, a1: float = 360
) -> Part:
    """A ring, or the arc between two angles in degrees."""
    rim, hole = (oval(tone, cx, cy, radius, radius, a0, a1)[1] for radius in (outer, inner))
    return tone, np.concatenate([rim, hole[::-1]])


def star(tone: int, points: int, inner: float) -> Part:
    """A star with the given ratio of inner to outer radius."""
    angle = np.arange(2 * points) * math.pi / points - math.pi / 2
    radius = np.where(np.arange(2 * points) % 2 == 0, 1.0, inner)
    return tone, np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def colour(channels: Iterable[float]) -> Colour:
    """Red, green and blue as Pillow wants them: whole numbers, rounded down."""
    red, green, blue = (int(channel) for channel in channels)
    return red, green, blue


def tones(rgb: np.ndarray) -> list[Colour]:
    """The five fill colours of an object with body colour ``rgb``.

    Args:
        rgb: Float array (3,), 0..255.

    Returns:
        Five integer RGB triples: body, darker, lighter, near black, near white.
    """
    shades = (rgb, rgb * 0.62, rgb * 0.55 + 115.0, rgb * 0.12 + 18.0, rgb * 0.12 + 220.0)
    return [colour(np.minimum(shade, 255.0)) for shade in shades]


def place(
    icon: list[Part], centre: np.ndarray, radius: np.ndarray, angle: float, mirror: bool
) -> list[Part]:
    """Turn an icon into canvas coordinates.

    Args:
        icon: Parts in unit coordinates.
        centre: (2,) canvas position in pixels.
        radius: (2,) half width and half height in pixels.
        angle: Rotation in degrees, clockwise.
        mirror: Flip left and right first.

    Returns:
        The parts with points in pixels.
    """
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    turn = np.array([[cos, sin], [-sin, cos]])
    scale = radius * np.array([-1.0 if mirror else 1.0, 1.0])
    return [(tone, (xy * scale) @ turn + centre) for tone, xy in icon]


def paint(draw: ImageDraw.ImageDraw, parts: list[Part], fills: list[Colour]) -> None:
    """Fill the parts of an object.

    Args:
        draw: Target canvas.
        parts: Result of :func:`place`.
        fills: Result of :func:`tones`.
    """
    for tone, xy in parts:
        draw.polygon(xy.ravel().tolist(), fill=fills[tone])


def sketch(
    draw: ImageDraw.ImageDraw, parts: list[Part], ink: Colour, paper: Colour, width: int
) -> None:
    """Draw the outline of an object, as with a pen.

    Args:
        draw: Target canvas.
        parts: Result of :func:`place`.
        ink: Line colour.
        paper: Fill colour, so that later parts hide earlier ones.
        width: Line width in canvas pixels.
    """
    for _, xy in parts:
        flat = xy.ravel().tolist()
        draw.polygon(flat, fill=paper)
        draw.line(flat + flat[:2], fill=ink, width=width, joint="curve")
