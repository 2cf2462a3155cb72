"""The image operations of RandAugment, each ``operation(image, strength) -> image``."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

Operation = Callable[[Image.Image, float], Image.Image]

_GREY = (125, 123, 114)  # mean colour of ImageNet


def _either_way(value: float) -> float:
    """Flip the sign of a strength half of the time."""
    return -value if random.random() > 0.5 else value


def _affine(img: Image.Image, matrix: tuple[float, ...]) -> Image.Image:
    return img.transform(img.size, Image.Transform.AFFINE, matrix)


def _shift_x(img: Image.Image, pixels: float) -> Image.Image:
    return _affine(img, (1, 0, pixels, 0, 1, 0))


def _shift_y(img: Image.Image, pixels: float) -> Image.Image:
    return _affine(img, (1, 0, 0, 0, 1, pixels))


def _solarize_add(img: Image.Image, amount: float) -> Image.Image:
    brighter = np.clip(np.asarray(img).astype(int) + amount, 0, 255).astype(np.uint8)
    return ImageOps.solarize(Image.fromarray(brighter), 128)


def _cutout(img: Image.Image, side: float) -> Image.Image:
    width, height = img.size
    left = int(max(0, np.random.uniform(width) - side / 2))
    top = int(max(0, np.random.uniform(height) - side / 2))
    copy = img.copy()
    box = (left, top, min(width, left + side), min(height, top + side))
    ImageDraw.Draw(copy).rectangle(box, _GREY)
    return copy


def _enhancer(kind: type) -> Operation:
    return lambda img, factor: kind(img).enhance(factor)


OPERATIONS: dict[str, Operation] = {
    "Identity": lambda img, _: img,
    "AutoContrast": lambda img, _: ImageOps.autocontrast(img),
    "Equalize": lambda img, _: ImageOps.equalize(img),
    "Invert": lambda img, _: ImageOps.invert(img),
    "Rotate": lambda img, degrees: img.rotate(_either_way(degrees)),
    "Posterize": lambda img, bits: ImageOps.posterize(img, int(bits)),
    "Solarize": lambda img, threshold: ImageOps.solarize(img, threshold),
    "SolarizeAdd": _solarize_add,
    "Color": _enhancer(ImageEnhance.Color),
    "Contrast": _enhancer(ImageEnhance.Contrast),
    "Brightness": _enhancer(ImageEnhance.Brightness),
    "Sharpness": _enhancer(ImageEnhance.Sharpness),
    "ShearX": lambda img, slope: _affine(img, (1, _either_way(slope), 0, 0, 1, 0)),
    "ShearY": lambda img, slope: _affine(img, (1, 0, 0, _either_way(slope), 1, 0)),
    "Cutout": _cutout,
    "ShiftX": lambda img, pixels: _shift_x(img, _either_way(pixels)),
    "ShiftY": lambda img, pixels: _shift_y(img, _either_way(pixels)),
    "TranslateX": lambda img, share: _shift_x(img, _either_way(share) * img.size[0]),
    "TranslateY": lambda img, share: _shift_y(img, _either_way(share) * img.size[1]),
}
"""Operations by name."""
