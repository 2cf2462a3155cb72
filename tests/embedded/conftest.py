"""Shared by the tests of the drawn world: brushes on an empty canvas."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw

BLANK = (1, 2, 3)  # a colour that no ground has


@pytest.fixture
def painted() -> Callable[..., np.ndarray]:
    """``painted(brush, seed)``: (96, 96, 3) pixels after ``brush(draw, rng)``, -1 where empty."""

    def paint(brush: Callable[..., object], seed: int = 0) -> np.ndarray:
        image = Image.new("RGB", (96, 96), BLANK)
        brush(ImageDraw.Draw(image), np.random.default_rng(seed))
        pixels = np.array(image, dtype=int)
        pixels[(pixels == BLANK).all(axis=-1)] = -1
        return pixels

    return paint
