"""Random augmentation by PIL operations: RandAugment (arXiv:1909.13719) and two relatives.

Operations and strengths are drawn from Python's global generator as in Dassl.
"""

from __future__ import annotations

import random

from PIL import Image

from minidassl.data.transforms.pil_operations import OPERATIONS

Table = dict[str, tuple[float, float]]
"""Weakest and strongest setting of each operation."""

_ENHANCE = ("Color", "Contrast", "Brightness", "Sharpness")

_FIXED_STRENGTH: Table = {
    "AutoContrast": (0, 1),
    "Equalize": (0, 1),
    "Invert": (0, 1),
    "Rotate": (0, 30),
    "Posterize": (4, 8),
    "Solarize": (0, 256),
    "SolarizeAdd": (0, 110),
    **{name: (0.1, 1.9) for name in _ENHANCE},
    "ShearX": (0.0, 0.3),
    "ShearY": (0.0, 0.3),
    "Cutout": (0, 40),
    "ShiftX": (0.0, 100),
    "ShiftY": (0.0, 100),
}


def _alphabetical(invert: bool, enhance: tuple[float, float]) -> Table:
    """Table of the relatives, whose strengths are symmetric."""
    table: Table = {
        "AutoContrast": (0, 1),
        **{name: enhance for name in ("Brightness", "Color", "Contrast")},
        "Equalize": (0, 1),
        "Identity": (0, 1),
        "Invert": (0, 1),
        "Posterize": (4, 8),
        "Rotate": (-30, 30),
        "Sharpness": enhance,
        **{name: (-0.3, 0.3) for name in ("ShearX", "ShearY")},
        "Solarize": (0, 256),
        **{name: (-0.3, 0.3) for name in ("TranslateX", "TranslateY")},
    }
    if not invert:
        del table["Invert"]
    return table


class _RandomOperations:
    """Apply ``n`` operations drawn with replacement; a subclass sets their strength."""

    def __init__(self, n: int, table: Table) -> None:
        self.n = n
        self.table = list(table.items())

    def _strength(self) -> float | None:
        """Return a share from 0 to 1 of the way to the strongest setting; None to skip."""
        raise NotImplementedError

    def __call__(self, img: Image.Image) -> Image.Image:
        for name, (weakest, strongest) in random.choices(self.table, k=self.n):
            share = self._strength()
            if share is not None:
                img = OPERATIONS[name](img, share * (strongest - weakest) + weakest)
        return img


class RandAugment(_RandomOperations):
    """All operations at one strength.

    Args:
        n: operations an image.
        m: strength, 0 to 30.
    """

    def __init__(self, n: int = 2, m: float = 10) -> None:
        if not 0 <= m <= 30:
            raise AssertionError(f"INPUT.RANDAUGMENT_M is {m}; allowed are 0 to 30.")
        super().__init__(n, _FIXED_STRENGTH)
        self.m = m

    def _strength(self) -> float:
        return self.m / 30


class RandAugment2(_RandomOperations):
    """Random strength, and each operation only with some probability.

    Args:
        n: operations an image.
        p: probability of each.
    """

    def __init__(self, n: int = 2, p: float = 0.6) -> None:
        super().__init__(n, _alphabetical(invert=True, enhance=(0.1, 1.9)))
        self.p = p

    def _strength(self) -> float | None:
        return None if random.random() > self.p else random.random()


class RandAugmentFixMatch(_RandomOperations):
    """Random strength; FixMatch, arXiv:2001.07685.

    Args:
        n: operations an image.
    """

    def __init__(self, n: int = 2) -> None:
        super().__init__(n, _alphabetical(invert=False, enhance=(0.05, 0.95)))

    def _strength(self) -> float:
        return random.random()
