"""Systematic changes of look that a whole benchmark shares.

They stand for the gap between web photographs and a special domain: every picture changes in the
same way, so zero-shot names fit worse while the pictures stay as easy to tell apart, and a
learned prompt has something to learn.
"""

from __future__ import annotations

import math

import numpy as np


def near_infrared(pixels: np.ndarray, strength: float) -> np.ndarray:
    """Show vegetation red and water black, as false-colour infrared film does.

    Args:
        pixels: (H, W, 3) float32, 0..255.
        strength: 0 (no change) to 1.

    Returns:
        (H, W, 3) float32.
    """
    r, g, b = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    infrared = np.clip(1.7 * g - 0.5 * b - 0.1 * r, 0, 255)
    false = np.stack([infrared, r, g], axis=-1)
    return pixels * (1 - strength) + false * strength


def turn_hue(pixels: np.ndarray, degrees: float) -> np.ndarray:
    """Rotate all hues about the gray axis, as a wrongly set camera does.

    Args:
        pixels: (H, W, 3) float32, 0..255.
        degrees: Angle; 120 turns red into green.

    Returns:
        (H, W, 3) float32, clipped to 0..255.
    """
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    a, b = (1 - c) / 3, s / math.sqrt(3)
    turn = np.array(
        [[c + a, a - b, a + b], [a + b, c + a, a - b], [a - b, a + b, c + a]], dtype=np.float32
    )
    return np.clip(pixels @ turn.T, 0, 255)


def warm_light(pixels: np.ndarray, strength: float) -> np.ndarray:
    """Light the scene with a lamp: less green, much less blue.

    Args:
        pixels: (H, W, 3) float32, 0..255.
        strength: 0 to 1.

    Returns:
        (H, W, 3) float32.
    """
    return pixels * np.array([1.0, 1 - 0.3 * strength, 1 - 0.65 * strength], dtype=np.float32)


def negative(pixels: np.ndarray, strength: float) -> np.ndarray:
    """Mix a picture with its negative.

    Args:
        pixels: (H, W, 3) float32, 0..255.
        strength: 0 (no change) to 1 (negative).

    Returns:
        (H, W, 3) float32.
    """
    return pixels * (1 - strength) + (255 - pixels) * strength


def stretch(pixels: np.ndarray, factor: float) -> np.ndarray:
    """Show only the middle of a picture, magnified more along its width than its height.

    Args:
        pixels: (H, W, 3) float32.
        factor: Magnification along the width; the height gets its square root.

    Returns:
        (H, W, 3) float32 of the same size, bilinear.
    """
    h, w = pixels.shape[:2]
    y = (np.arange(h) - (h - 1) / 2) / math.sqrt(factor) + (h - 1) / 2
    x = (np.arange(w) - (w - 1) / 2) / factor + (w - 1) / 2
    y, x = np.clip(y, 0, h - 1.001), np.clip(x, 0, w - 1.001)
    iy, ix = y.astype(int), x.astype(int)
    fy, fx = (y - iy)[:, None, None].astype(np.float32), (x - ix)[None, :, None].astype(np.float32)
    rows = pixels[iy] * (1 - fy) + pixels[iy + 1] * fy
    return rows[:, ix] * (1 - fx) + rows[:, ix + 1] * fx
