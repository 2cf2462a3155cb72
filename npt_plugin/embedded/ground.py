"""Ground colours and brushes for pictures taken from above."""

from __future__ import annotations

import math

import numpy as np
from PIL import ImageDraw

CANVAS = 96
Rng = np.random.Generator
Draw = ImageDraw.ImageDraw
GROUND = {
    "grass": (112, 144, 74),
    "dry": (176, 160, 112),
    "sand": (222, 202, 156),
    "water": (34, 78, 120),
    "forest": (38, 82, 42),
    "paved": (128, 126, 124),
    "road": (84, 84, 88),
    "snow": (234, 240, 246),
    "soil": (136, 104, 70),
    "city": (150, 144, 136),
    "roof": (176, 92, 66),
    "white": (232, 230, 224),
    "marsh": (82, 104, 70),
    "pool": (64, 190, 214),
    "court": (50, 112, 92),
    "clay": (190, 98, 62),
    "panel": (36, 44, 84),
    "rock": (142, 132, 122),
    "lawn": (92, 168, 72),
    "steel": (196, 200, 206),
}


def tint(name: str, rng: Rng, spread: float = 9.0) -> tuple[int, int, int]:
    """A ground colour with its random variation."""
    r, g, b = (int(min(max(c + rng.normal(0, spread), 0), 255)) for c in GROUND[name])
    return r, g, b


def disc(
    d: Draw, x: float, y: float, r: float, fill: tuple[int, int, int], ry: float | None = None
) -> None:
    """Draw a filled circle, or an ellipse if ry is given."""
    d.ellipse((x - r, y - (ry or r), x + r, y + (ry or r)), fill=fill)


def rect(d: Draw, x: float, y: float, w: float, h: float, fill: tuple[int, int, int]) -> None:
    """Draw a filled box from its corner and size."""
    d.rectangle((x, y, x + w, y + h), fill=fill)


def blob(d: Draw, rng: Rng, r: float, fill: tuple[int, int, int]) -> None:
    """Draw an irregular round patch near the centre."""
    a = np.arange(18) * math.pi / 9
    radius = r * (1 + 0.18 * np.convolve(rng.standard_normal(20), np.ones(3) / 1.7, "valid"))
    cx, cy = 48 + rng.normal(0, 4), 48 + rng.normal(0, 4)
    d.polygon(
        np.stack([cx + radius * np.cos(a), cy + radius * np.sin(a)], 1).ravel().tolist(), fill=fill
    )


def curve(rng: Rng, bend: float) -> list[float]:
    """A line that winds from top to bottom, as x, y, x, y, ..."""
    t = np.linspace(-10, 106, 16)
    x = 48 + rng.normal(0, 5) + bend * np.sin(t / rng.uniform(13, 19) + rng.uniform(0, 6))
    return np.stack([x, t], 1).ravel().tolist()


def grid(d: Draw, rng: Rng, step: float, size: float, fill: str, keep: float = 1.0) -> None:
    """Draw a field of small boxes."""
    for x in np.arange(-2, 98, step):
        for y in np.arange(-2, 98, step):
            if rng.random() < keep:
                rect(
                    d,
                    x + 1,
                    y + 1,
                    size * rng.uniform(0.85, 1.1),
                    size * rng.uniform(0.85, 1.1),
                    tint(fill, rng, 14),
                )


def dots(
    d: Draw, rng: Rng, n: int, low: float, high: float, fill: str, spread: float = 12.0
) -> None:
    """Draw discs at random places."""
    for x, y, r in zip(
        rng.uniform(-4, 100, n), rng.uniform(-4, 100, n), rng.uniform(low, high, n), strict=True
    ):
        disc(d, x, y, r, tint(fill, rng, spread))


def stripes(d: Draw, rng: Rng, step: float, width: float, fill: str) -> None:
    """Draw parallel vertical bands."""
    for x in np.arange(-2 + rng.uniform(0, step), 100, step):
        rect(d, x, -1, width, 98, tint(fill, rng, 5))
