"""Transforms that torchvision does not have.

Each draws from the same global generator, and as often, as the transform of that name in Dassl.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from PIL import Image


class Random2DTranslation:
    """Resize; with some probability resize larger by an eighth first and cut out a random window.

    Args:
        height: Output height in pixels.
        width: Output width in pixels.
        p: Probability of the random window.
        interpolation: Torchvision mode; bilinear when None.
    """

    def __init__(self, height: int, width: int, p: float = 0.5, interpolation: Any = None) -> None:
        self.height, self.width, self.p, self.interpolation = height, width, p, interpolation

    def _resize(self, img: Image.Image, height: int, width: int) -> Image.Image:
        from torchvision.transforms import InterpolationMode
        from torchvision.transforms import functional as vision

        mode = self.interpolation or InterpolationMode.BILINEAR
        return vision.resize(img, [height, width], interpolation=mode)

    def __call__(self, img: Image.Image) -> Image.Image:
        """Return the image at the output size."""
        if random.uniform(0, 1) > self.p:
            return self._resize(img, self.height, self.width)
        tall, wide = round(self.height * 1.125), round(self.width * 1.125)
        left = round(random.uniform(0, wide - self.width))
        top = round(random.uniform(0, tall - self.height))
        larger = self._resize(img, tall, wide)
        return larger.crop((left, top, left + self.width, top + self.height))


class InstanceNormalization:
    """Give each channel of an image mean 0 and standard deviation 1.

    Args:
        eps: Added to the standard deviation.
    """

    def __init__(self, eps: float = 1e-8) -> None:
        self.eps = eps

    def __call__(self, img: torch.Tensor) -> torch.Tensor:
        """Normalise an image (C, H, W)."""
        flat = img.flatten(1)  # (C, H*W)
        mean, std = flat.mean(1), flat.std(1)  # (C,), (C,)
        return (img - mean[:, None, None]) / (std[:, None, None] + self.eps)  # (C, H, W)


class Cutout:
    """Set random squares of an image to zero; DeVries and Taylor, arXiv:1708.04552.

    Args:
        n_holes: How many squares.
        length: Their side in pixels; they may stick out of the image.
    """

    def __init__(self, n_holes: int = 1, length: int = 16) -> None:
        self.n_holes, self.length = n_holes, length

    def __call__(self, img: torch.Tensor) -> torch.Tensor:
        """Return an image (C, H, W) with holes."""
        height, width = img.shape[-2:]
        half = self.length // 2
        mask = torch.ones(height, width)  # (H, W)
        for _ in range(self.n_holes):
            y, x = np.random.randint(height), np.random.randint(width)
            mask[max(0, y - half) : y + half, max(0, x - half) : x + half] = 0
        return img * mask  # (C, H, W)


class GaussianNoise:
    """Add normal noise with some probability.

    Args:
        mean: Mean of the noise.
        std: Its standard deviation.
        p: Probability that an image gets any.
    """

    def __init__(self, mean: float = 0, std: float = 0.15, p: float = 0.5) -> None:
        self.mean, self.std, self.p = mean, std, p

    def __call__(self, img: torch.Tensor) -> torch.Tensor:
        """Return an image of the same shape, perhaps with noise."""
        if random.uniform(0, 1) > self.p:
            return img
        return img + (torch.randn(img.shape) * self.std + self.mean)
