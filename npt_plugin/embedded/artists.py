"""Two artists who drew nothing of the world the tiny CLIP has seen.

The shifts of :mod:`~npt_plugin.embedded.shifts` change a whole picture in one way; a hand changes
all of it at once: colours, line, ground and grain. Benchmarks in their hand say whether a result
holds beyond one kind of shift.
"""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw

from npt_plugin.embedded import drawing
from npt_plugin.embedded.fields import X, Y, hard, smooth_noise, wave
from npt_plugin.embedded.icons import ICONS
from npt_plugin.embedded.overhead import LAYOUT_NAMES, layout_image

CANVAS = 96
Rng = np.random.Generator

_INKS = np.array(
    [(222, 74, 58), (36, 92, 104), (238, 180, 74), (94, 122, 62), (142, 72, 96)], dtype=np.float32
)
"""The printer's five inks; none is a named shade."""

_PAPER = np.array([238.0, 226, 200], dtype=np.float32)
_LINE = (30, 26, 40)
_WOOD = np.array([58.0, 40, 34], dtype=np.float32)
_BLEACHED = 0.4 * np.eye(3, dtype=np.float32) + 0.15
"""Colours more than half way to gray: (3, 3), applied from the right."""


def poster(name: str, rng: Rng) -> np.ndarray:
    """A screen print: one ink, thick outlines, a ground of rays, dots in the shadows.

    Args:
        name: A key of ``ICONS``.
        rng: Source of randomness.

    Returns:
        (48, 48, 3) float32, 0..255.
    """
    inks = rng.permutation(len(_INKS))
    ground = Image.fromarray(_rays(_INKS[inks[1]], rng).astype(np.uint8))
    canvas = ground.resize((CANVAS, CANVAS), Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(canvas)
    body = _INKS[inks[0]]
    fills = (body, body * 0.7, _PAPER, np.array(_LINE), _PAPER)
    size = rng.uniform(34, 40) * np.array([1.0, 1.12])
    centre, angle = 48 + rng.normal(0, 2.5, 2), rng.normal(0, 8)
    parts = drawing.place(ICONS[name], centre, size, angle, False)
    for tone, xy in parts:
        flat = xy.ravel().tolist()
        draw.polygon(flat, fill=drawing.colour(fills[tone]))
        draw.line(flat + flat[:2], fill=_LINE, width=2, joint="curve")
    return _dotted(np.asarray(canvas.reduce(2), dtype=np.float32), rng)


def _rays(ink: np.ndarray, rng: Rng) -> np.ndarray:
    """Rays of thinned ink on paper, from a point below the middle: (48, 48, 3)."""
    x, y = X - 24 - rng.normal(0, 3), Y - 40 - rng.normal(0, 3)
    turns = np.arctan2(y, x) / (2 * math.pi)
    share = hard(wave(14 * turns + rng.random()) - 0.5, 4.0)[..., None]
    return _PAPER * (1 - 0.35 * share) + ink * 0.35 * share


def _dotted(pixels: np.ndarray, rng: Rng) -> np.ndarray:
    """Coarse dots of a printing screen, stronger where it is dark: (48, 48, 3)."""
    phase = rng.random(2)
    dots = wave((X + Y) / 5 + phase[0]) * wave((X - Y) / 5 + phase[1])
    dark = 1 - pixels.mean(axis=-1) / 255
    return np.clip(pixels + 40 * (dots - 0.4)[..., None] * dark[..., None], 0, 255)


def woodcut(name: str, rng: Rng) -> np.ndarray:
    """A land use cut into wood: tones become lines of another width, two inks, a grain.

    Args:
        name: One of ``LAYOUT_NAMES``.
        rng: Source of randomness.

    Returns:
        (48, 48, 3) float32, 0..255.
    """
    pixels = layout_image(LAYOUT_NAMES.index(name), rng)
    light = pixels.mean(axis=-1, keepdims=True) / 255
    grain = smooth_noise(rng, (3, 24)) - 0.5
    lines = wave(Y / 3 + 0.35 * grain + rng.random())[..., None]
    ink = hard(0.9 * lines - light - 0.1, 2.0)  # the darker, the broader its lines
    block = pixels @ _BLEACHED + 40  # the second block prints pale colours
    return np.clip(block * (1 - 0.68 * ink) + _WOOD * 0.68 * ink, 0, 255).astype(np.float32)
