"""Named colours of the drawn world: 32 shades with ordinary English names."""

from __future__ import annotations

import numpy as np

SHADES: dict[str, tuple[tuple[int, int, int], str]] = {
    "crimson": ((200, 16, 50), "red"),
    "coral": ((252, 122, 96), "orange"),
    "orange": ((246, 136, 22), "orange"),
    "amber": ((255, 186, 12), "yellow"),
    "yellow": ((250, 240, 30), "yellow"),
    "olive": ((116, 118, 24), "green"),
    "lime": ((150, 224, 28), "green"),
    "green": ((30, 150, 52), "green"),
    "mint": ((158, 240, 196), "green"),
    "teal": ((8, 122, 124), "blue"),
    "cyan": ((32, 218, 234), "blue"),
    "azure": ((36, 138, 250), "blue"),
    "navy": ((18, 26, 104), "blue"),
    "indigo": ((72, 22, 164), "purple"),
    "lavender": ((190, 168, 244), "purple"),
    "magenta": ((230, 26, 196), "pink"),
    "pink": ((252, 168, 200), "pink"),
    "maroon": ((106, 10, 30), "red"),
    "scarlet": ((240, 38, 16), "red"),
    "rust": ((172, 70, 22), "brown"),
    "brown": ((104, 62, 30), "brown"),
    "gold": ((206, 160, 40), "yellow"),
    "cream": ((252, 240, 206), "white"),
    "emerald": ((12, 192, 116), "green"),
    "turquoise": ((72, 214, 196), "blue"),
    "blue": ((28, 66, 214), "blue"),
    "sky": ((138, 200, 246), "blue"),
    "violet": ((140, 62, 224), "purple"),
    "plum": ((132, 40, 112), "purple"),
    "rose": ((236, 64, 122), "pink"),
    "gray": ((132, 134, 138), "gray"),
    "black": ((22, 22, 26), "black"),
}
"""Shade name -> (red, green, blue) in 0..255, and the plain colour people would also call it."""
SHADE_NAMES: tuple[str, ...] = tuple(SHADES)
_RGB = np.array([SHADES[name][0] for name in SHADE_NAMES], dtype=np.float32)


def shade_rgb(index: int, rng: np.random.Generator, jitter: float = 7.0) -> np.ndarray:
    """Draw one instance of a shade.

    Args:
        index: Position in ``SHADE_NAMES``.
        rng: Source of randomness.
        jitter: Standard deviation of the noise on each channel, in 0..255 units.

    Returns:
        float32 array (3,), clipped to 0..255.
    """
    noise = rng.standard_normal(3).astype(np.float32) * jitter
    return np.clip(_RGB[index] + noise, 0, 255)


def any_rgb(rng: np.random.Generator) -> np.ndarray:
    """Draw an arbitrary colour.

    Args:
        rng: Source of randomness.

    Returns:
        float32 array (3,) in 0..255.
    """
    return rng.random(3).astype(np.float32) * 255.0
