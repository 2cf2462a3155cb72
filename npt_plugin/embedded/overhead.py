"""Thirty-two land-use layouts seen from above, as a satellite would."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from npt_plugin.embedded import sites_built as built
from npt_plugin.embedded import sites_land as land
from npt_plugin.embedded.ground import CANVAS, Draw, Rng, blob, curve, dots, grid, stripes, tint

LAYOUTS: dict[str, tuple[str, Callable[[Draw, Rng], None]]] = {
    "airport": ("grass", built.airport),
    "forest": ("forest", lambda d, rng: dots(d, rng, 90, 4, 7, "forest", 14)),
    "river": ("grass", lambda d, rng: d.line(curve(rng, 14), fill=tint("water", rng), width=16)),
    "parking lot": ("road", built.parking),
    "roundabout": ("grass", built.roundabout),
    "tennis court": ("grass", built.tennis),
    "highway": ("grass", built.highway),
    "railway": ("dry", built.railway),
    "island": ("water", land.island),
    "vineyard": ("dry", lambda d, rng: stripes(d, rng, 8, 4, "forest")),
    "village": ("grass", built.village),
    "swimming pool": ("lawn", built.pool),
    "swamp": ("marsh", land.swamp),
    "quarry": ("rock", land.quarry),
    "greenhouse": ("soil", lambda d, rng: stripes(d, rng, 15, 11, "white")),
    "race track": ("grass", built.race),
    "beach": ("sand", land.beach),
    "harbor": ("water", built.harbor),
    "golf course": ("grass", land.golf),
    "stadium": ("paved", built.stadium),
    "desert": ("sand", land.desert),
    "bridge": ("water", built.bridge),
    "solar farm": ("dry", land.solar),
    "lake": ("grass", lambda d, rng: blob(d, rng, 31, tint("water", rng))),
    "city": ("road", lambda d, rng: grid(d, rng, 16, 11, "city")),
    "oil tanks": ("paved", built.tanks),
    "baseball field": ("grass", land.baseball),
    "cemetery": ("grass", land.cemetery),
    "wind farm": ("grass", land.wind),
    "farmland": ("forest", land.farmland),
    "terraces": ("marsh", land.terraces),
    "snowy mountain": ("rock", land.mountain),
}
"""Name -> (ground, painter)."""
LAYOUT_NAMES: tuple[str, ...] = tuple(LAYOUTS)


def layout_image(index: int, rng: Rng, turn: float = 10.0) -> np.ndarray:
    """Draw one instance of a layout, shifted and turned a little.

    Args:
        index: Position in ``LAYOUT_NAMES``.
        rng: Source of randomness.
        turn: Standard deviation of the rotation, degrees (a quarter turn is added at random).

    Returns:
        (48, 48, 3) float32 in 0..255.
    """
    ground, painter = LAYOUTS[LAYOUT_NAMES[index]]
    colour = tint(ground, rng)
    image = Image.new("RGB", (CANVAS, CANVAS), colour)
    painter(ImageDraw.Draw(image), rng)
    angle, zoom = math.radians(rng.normal(0, turn)), 1 / rng.uniform(0.9, 1.15)
    a, b = zoom * math.cos(angle), zoom * math.sin(angle)
    dx, dy = rng.normal(0, 4, 2)
    image = image.transform(
        (CANVAS, CANVAS),
        Image.Transform.AFFINE,
        (a, b, 48 - 48 * (a + b) + dx, -b, a, 48 - 48 * (a - b) + dy),
        fillcolor=colour,
    )
    pixels = np.asarray(image.reduce(2), dtype=np.float32)
    return np.rot90(pixels, int(rng.integers(0, 4)))
