"""Scalar fields over the picture, the raw material of textures."""

from __future__ import annotations

import numpy as np

SIZE = 48
Y, X = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
Field = np.ndarray  # (SIZE, SIZE) float32, about 0..1


def wave(t: Field) -> Field:
    """Turn a running phase into 0..1."""
    return 0.5 + 0.5 * np.sin(2 * np.pi * t)


def hard(t: Field, sharp: float = 6.0) -> Field:
    """Turn a signed distance into 0..1 with a soft edge."""
    return np.clip(0.5 + sharp * t, 0, 1)


def cell(u: Field) -> Field:
    """The position within the unit cell, -0.5..0.5."""
    return u - np.floor(u) - 0.5


def smooth_noise(rng: np.random.Generator, cells: tuple[int, int]) -> Field:
    """Draw smooth noise by bilinear interpolation of a coarse random grid.

    Args:
        rng: Source of randomness.
        cells: Grid cells (rows, columns) over the image.

    Returns:
        (SIZE, SIZE) float32 in 0..1.
    """
    grid = rng.random((cells[0] + 2, cells[1] + 2), dtype=np.float32)
    y, x = np.arange(SIZE) * cells[0] / SIZE, np.arange(SIZE) * cells[1] / SIZE
    iy, ix = y.astype(int), x.astype(int)
    fy = (y - iy).astype(np.float32)[:, None]
    fx = (x - ix).astype(np.float32)[None, :]
    rows = grid[iy] * (1 - fy) + grid[iy + 1] * fy
    return rows[:, ix] * (1 - fx) + rows[:, ix + 1] * fx


def nearest(rng: np.random.Generator, n: int) -> tuple[Field, Field, np.ndarray]:
    """The distance to the nearest and second nearest of n points, and which is nearest."""
    points = rng.random((n, 2), dtype=np.float32) * SIZE
    d = np.hypot(Y[..., None] - points[:, 0], X[..., None] - points[:, 1])  # (S, S, n)
    near = d.argmin(-1)
    first = np.take_along_axis(d, near[..., None], -1)[..., 0]
    np.put_along_axis(d, near[..., None], 1e9, -1)
    return first, d.min(-1), near


def tile(u: Field, v: Field) -> tuple[Field, Field]:
    """The position within square cells."""
    return cell(u), cell(v)


def hexagon(u: Field, v: Field) -> Field:
    """The distance to the centre of the nearest hexagon."""
    v = v / 0.866
    a = np.hypot(cell(u), cell(v / 2) * 1.732)
    b = np.hypot(cell(u + 0.5), cell(v / 2 + 0.5) * 1.732)
    return np.minimum(a, b)
