"""Scenes of one named object in a named colour, on a background, in a drawing style."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from npt_plugin.embedded import drawing, palette
from npt_plugin.embedded.fields import smooth_noise
from npt_plugin.embedded.icons import ICON_NAMES, ICONS

CANVAS = 96
BACKGROUNDS: tuple[str, ...] = ("plain", "sky", "grass", "sand", "snow", "water")
STYLES: tuple[str, ...] = ("photo", "sketch", "night", "sunset", "old", "fog")
_GROUND = {
    "grass": (96, 140, 60),
    "sand": (220, 198, 150),
    "snow": (236, 240, 246),
    "water": (44, 96, 150),
}
_LUMA = np.array([0.3, 0.59, 0.11], dtype=np.float32)


def _background(name: str, body: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A (48, 48, 3) float32 background that contrasts with the body colour."""
    if name == "sky":
        top, low = np.array([70.0, 140, 230]), np.array([200.0, 226, 250])
        t = np.linspace(0, 1, 48)[:, None, None]
        return (top * (1 - t) + low * t + np.zeros((48, 48, 1))).astype(np.float32)
    if name == "plain":
        base = palette.any_rgb(rng)
        for _ in range(4):
            if np.abs(base - body).max() > 90:
                break
            base = palette.any_rgb(rng)
    else:
        base = np.array(_GROUND[name], dtype=np.float32) + rng.normal(0, 10, 3)
    rough = 14.0 if name == "plain" else 40.0
    field = smooth_noise(rng, (6, 6) if name == "plain" else (16, 16))[..., None] - 0.5
    return (base + rough * field).astype(np.float32)


def apply_style(pixels: np.ndarray, style: str) -> np.ndarray:
    """Change the look of a whole picture.

    Args:
        pixels: (H, W, 3) float32, 0..255.
        style: One of ``STYLES``; "photo" and "sketch" change nothing here.

    Returns:
        (H, W, 3) float32.
    """
    if style == "night":
        return pixels * np.array([0.35, 0.4, 0.6], dtype=np.float32)
    if style == "sunset":
        return pixels * np.array([1.0, 0.72, 0.45], dtype=np.float32) + np.array(
            [24, 4, 0], np.float32
        )
    if style == "old":
        return (pixels @ _LUMA)[..., None] * np.array([0.95, 0.82, 0.62], dtype=np.float32) + 16
    if style == "fog":
        return pixels * 0.45 + 122.0
    return pixels


def _clutter(draw: ImageDraw.ImageDraw, rng: np.random.Generator, n: int) -> None:
    """Draw n small coloured discs and boxes near the border."""
    for _ in range(n):
        angle, r = rng.uniform(0, 6.283), rng.uniform(4, 9)
        x, y = 48 + 44 * np.cos(angle), 48 + 44 * np.sin(angle)
        fill = drawing.colour(rng.integers(0, 255, 3))
        shape = draw.ellipse if rng.random() < 0.5 else draw.rectangle
        shape((x - r, y - r, x + r, y + r), fill=fill)


def object_scene(
    rng: np.random.Generator,
    icon: int,
    shade: int,
    background: int = 0,
    style: int = 0,
    hard: float = 0.5,
    tilt: float = 0.0,
    squeeze: float = 1.0,
) -> np.ndarray:
    """Draw one object.

    Args:
        rng: Source of randomness.
        icon: Position in ``ICON_NAMES``.
        shade: Position in ``SHADE_NAMES``.
        background: Position in ``BACKGROUNDS``.
        style: Position in ``STYLES``.
        hard: 0 (large, centred, upright, alone) to 1 (smaller, anywhere, turned, with clutter).
        tilt: Systematic rotation in degrees, for shifted benchmarks.
        squeeze: Systematic ratio of height to width.

    Returns:
        (48, 48, 3) float32 in about 0..255.
    """
    body = palette.shade_rgb(shade, rng)
    pen = STYLES[style] == "sketch"
    radius = rng.uniform(40 - 14 * hard, 43 - 4 * hard)
    room = max(0.0, 50 - radius) * hard
    centre = 48 + rng.uniform(-room, room, 2) + rng.normal(0, 1.0, 2)
    size = radius * np.array([squeeze**-0.5, squeeze**0.5]) * rng.uniform(0.94, 1.06, 2)
    parts = drawing.place(
        ICONS[ICON_NAMES[icon]],
        centre,
        size,
        tilt + rng.normal(0, 4 + 10 * hard),
        rng.random() < 0.5 * hard,
    )
    paper = np.array([246.0, 244, 238]) - rng.random() * 26
    ground = (
        np.zeros((48, 48, 3), np.float32) + paper
        if pen
        else _background(BACKGROUNDS[background], body, rng)
    )
    small = Image.fromarray(np.clip(ground, 0, 255).astype(np.uint8))
    canvas = small.resize((CANVAS, CANVAS), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(canvas)
    if not pen:
        _clutter(draw, rng, int(rng.integers(0, 1 + int(4 * hard))))
        drawing.paint(draw, parts, drawing.tones(body))
    else:
        ink = drawing.colour(rng.uniform(10, 80, 3))
        drawing.sketch(draw, parts, ink, drawing.colour(paper), int(rng.integers(2, 5)))
    pixels = np.asarray(canvas.reduce(2), dtype=np.float32)
    return apply_style(pixels, STYLES[style])
