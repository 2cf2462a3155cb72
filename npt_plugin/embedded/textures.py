"""Thirty-two textures as functions of the plane, each an ordinary word."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from npt_plugin.embedded.fields import (
    SIZE,
    Field,
    X,
    Y,
    cell,
    hard,
    hexagon,
    nearest,
    smooth_noise,
    tile,
    wave,
)


def _spiral(u: Field, v: Field, rng: np.random.Generator) -> Field:
    x, y = X - SIZE / 2 - rng.normal(0, 4), Y - SIZE / 2 - rng.normal(0, 4)
    return hard(
        np.sin(np.hypot(x, y) / rng.uniform(1.4, 2.0) + rng.choice([-1, 1]) * np.arctan2(y, x)), 2
    )


def _rings(u: Field, v: Field, rng: np.random.Generator) -> Field:
    r = np.hypot(X - SIZE / 2 - rng.normal(0, 4), Y - SIZE / 2 - rng.normal(0, 4))
    return hard(np.sin(r / rng.uniform(1.0, 1.6)), 2)


def _sunburst(u: Field, v: Field, rng: np.random.Generator) -> Field:
    x, y = X - SIZE / 2 - rng.normal(0, 4), Y - SIZE / 2 - rng.normal(0, 4)
    return hard(np.sin(np.arctan2(y, x) * rng.integers(6, 11) + rng.uniform(0, 6)), 3)


def _ripples(u: Field, v: Field, rng: np.random.Generator) -> Field:
    total = np.zeros_like(X)
    for _ in range(2):
        total += np.sin(
            np.hypot(X - rng.uniform(-10, 58), Y - rng.uniform(-10, 58)) / rng.uniform(0.9, 1.3)
        )
    return 0.5 + 0.25 * total


def _maze(u: Field, v: Field, rng: np.random.Generator) -> Field:
    n = int(rng.integers(7, 10))
    gy, gx = (Y * n / SIZE), (X * n / SIZE)
    flip = rng.random((n + 1, n + 1)) < 0.5
    a, b = cell(gy), cell(gx)
    b = np.where(flip[gy.astype(int), gx.astype(int)], -b, b)
    return hard(np.abs(a - b) - 0.2, 5) * hard(0.8 - np.abs(a - b), 5)


def _bubbles(u: Field, v: Field, rng: np.random.Generator) -> Field:
    first, _, _ = nearest(rng, 26)
    return hard(1.0 - np.abs(first - rng.uniform(3.2, 4.2)), 1.0)


def _gravel(u: Field, v: Field, rng: np.random.Generator) -> Field:
    first, second, near = nearest(rng, 60)
    return rng.random(60, dtype=np.float32)[near] * 0.8 * hard(second - first - 1, 1) + 0.1


def _cracked(u: Field, v: Field, rng: np.random.Generator) -> Field:
    first, second, _ = nearest(rng, 14)
    return hard(second - first - 1.6, 0.9)


def _plaid(u: Field, v: Field, rng: np.random.Generator) -> Field:
    s, t = u / 2, v / 2
    return (
        hard(np.abs(cell(s)) - 0.25)
        + hard(np.abs(cell(t)) - 0.25)
        + 0.6 * hard(np.abs(cell(s * 2 + 0.25)) - 0.4)
    ) / 2.6


def _brick(u: Field, v: Field, rng: np.random.Generator) -> Field:
    a = cell(u / 2 + 0.5 * (np.floor(v) % 2))
    return hard(np.minimum((0.5 - np.abs(a)) * 2, 0.5 - np.abs(cell(v))) - 0.09, 8)


def _herringbone(u: Field, v: Field, rng: np.random.Generator) -> Field:
    side = np.floor(u / 2) % 2
    return hard(np.abs(cell(np.where(side > 0, u + v, v - u) * 1.0)) - 0.25, 5)


def _woven(u: Field, v: Field, rng: np.random.Generator) -> Field:
    over = (np.floor(u) + np.floor(v)) % 2
    return np.where(over > 0, np.cos(np.pi * cell(u)), 0.55 * np.cos(np.pi * cell(v)))


def _scales(u: Field, v: Field, rng: np.random.Generator) -> Field:
    row = np.floor(v * 1.4)
    a, b = cell(u + 0.5 * (row % 2)), v * 1.4 - row
    return np.clip(np.hypot(a, b * 0.8) * 1.15, 0, 1) ** 2


def _wood(u: Field, v: Field, rng: np.random.Generator) -> Field:
    return wave(v * 0.7 + 1.6 * smooth_noise(rng, (4, 2)) + 0.1 * smooth_noise(rng, (24, 3)))


def _marble(u: Field, v: Field, rng: np.random.Generator) -> Field:
    bend = smooth_noise(rng, (3, 3)) * 3 + smooth_noise(rng, (7, 7)) * 1.3
    return np.abs(np.sin(np.pi * (0.16 * (u + v) + bend))) ** 0.35


def _dashes(u: Field, v: Field, rng: np.random.Generator) -> Field:
    a, b = cell(u / 1.6 + 0.5 * (np.floor(v) % 2)), cell(v)
    return hard(np.minimum(0.3 - np.abs(a), 0.22 - np.abs(b)), 10)


def _crosses(u: Field, v: Field, rng: np.random.Generator) -> Field:
    a, b = np.abs(cell(u * 0.8)), np.abs(cell(v * 0.8))
    return hard(np.maximum(np.minimum(0.36 - a, 0.12 - b), np.minimum(0.12 - a, 0.36 - b)), 10)


def _halftone(u: Field, v: Field, rng: np.random.Generator) -> Field:
    size = 0.08 + 0.55 * (X if rng.random() < 0.5 else Y) / SIZE
    return hard(size - np.hypot(*tile(u * 1.3, v * 1.3)), 6)


def _mosaic(u: Field, v: Field, rng: np.random.Generator) -> Field:
    n = int(rng.integers(7, 11))
    return rng.random((n + 1, n + 1), dtype=np.float32)[
        (Y * n / SIZE).astype(int), (X * n / SIZE).astype(int)
    ]


def _grains(u: Field, v: Field, rng: np.random.Generator) -> Field:
    return (rng.random((SIZE, SIZE)) > 0.93) * 1.0


TEXTURES: dict[str, Callable[[Field, Field, np.random.Generator], Field]] = {
    "striped": lambda u, v, rng: hard(np.abs(cell(u * 0.8)) - 0.25),
    "dotted": lambda u, v, rng: hard(0.27 - np.hypot(*tile(u, v)), 8),
    "zigzag": lambda u, v, rng: hard(np.abs(cell(v * 0.8 + np.abs(cell(u * 0.6)))) - 0.25, 5),
    "honeycomb": lambda u, v, rng: hard(hexagon(u * 0.9, v * 0.9) - 0.4, 9),
    "woven": _woven,
    "marble": _marble,
    "scales": _scales,
    "spiral": _spiral,
    "sunburst": _sunburst,
    "bubbles": _bubbles,
    "plaid": _plaid,
    "crosshatched": lambda u, v, rng: np.minimum(
        hard(np.abs(cell(u * 1.2 + v * 0.2)) - 0.14), hard(np.abs(cell(v * 1.2)) - 0.14)
    ),
    "gravel": _gravel,
    "halftone": _halftone,
    "fur": lambda u, v, rng: smooth_noise(rng, (5, 40)) * 0.7 + smooth_noise(rng, (9, 46)) * 0.3,
    "dashes": _dashes,
    "checkered": lambda u, v, rng: hard(cell(u * 0.5) * cell(v * 0.5), 60),
    "brick": _brick,
    "wood": _wood,
    "waves": lambda u, v, rng: hard(np.abs(cell(v * 0.8 + 0.28 * np.sin(u * 2.6))) - 0.25, 5),
    "rings": _rings,
    "cracked": _cracked,
    "speckled": _grains,
    "diamonds": lambda u, v, rng: hard(
        np.abs(cell(u * 0.7)) * 1.7 + np.abs(cell(v * 0.5)) - 0.45, 7
    ),
    "camouflage": lambda u, v, rng: (
        hard(smooth_noise(rng, (6, 6)) - 0.5, 9) * 0.6
        + 0.4 * hard(smooth_noise(rng, (6, 6)) - 0.55, 9)
    ),
    "maze": _maze,
    "herringbone": _herringbone,
    "ripples": _ripples,
    "fog": lambda u, v, rng: smooth_noise(rng, (2, 2)) * 0.7 + smooth_noise(rng, (4, 4)) * 0.3,
    "static": lambda u, v, rng: rng.random((SIZE, SIZE), dtype=np.float32),
    "mosaic": _mosaic,
    "crosses": _crosses,
}
TEXTURE_NAMES: tuple[str, ...] = tuple(TEXTURES)


def texture_field(index: int, rng: np.random.Generator, turn: float = 12.0) -> Field:
    """Draw one instance of a texture, with its own scale, phase and small rotation.

    Args:
        index: Position in ``TEXTURE_NAMES``.
        rng: Source of randomness.
        turn: Standard deviation of the rotation, degrees.

    Returns:
        (SIZE, SIZE) float32 in 0..1: how much of the second colour each pixel gets.
    """
    angle, period = np.radians(rng.normal(0, turn)), rng.uniform(7.0, 11.0)
    u = (np.cos(angle) * X + np.sin(angle) * Y) / period + rng.random()
    v = (np.cos(angle) * Y - np.sin(angle) * X) / period + rng.random()
    return np.clip(TEXTURES[TEXTURE_NAMES[index]](u, v, rng), 0, 1).astype(np.float32)


def texture_image(
    index: int, rng: np.random.Generator, one: np.ndarray, two: np.ndarray, turn: float = 12.0
) -> np.ndarray:
    """Draw a texture in two colours.

    Args:
        index: Position in ``TEXTURE_NAMES``.
        rng: Source of randomness.
        one: (3,) colour where the field is 0.
        two: (3,) colour where the field is 1.
        turn: Standard deviation of the rotation, degrees.

    Returns:
        (SIZE, SIZE, 3) float32 in 0..255.
    """
    field = texture_field(index, rng, turn)[..., None]
    return one * (1 - field) + two * field
