"""16-bit images: every value, every byte order, and the files they come in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from npt_plugin.datasets.rgb import to_rgb


def _sixteen_bit(values: np.ndarray, order: str = "<") -> Image.Image:
    mode = {"<": "I;16", ">": "I;16B"}[order]
    height, width = values.shape
    return Image.frombytes(mode, (width, height), values.astype(f"{order}u2").tobytes())


@pytest.mark.parametrize("order", ["<", ">"])
def test_every_16_bit_value_keeps_its_upper_8_bits(order: str) -> None:
    values = np.arange(65536).reshape(256, 256)
    rgb = np.asarray(to_rgb(_sixteen_bit(values, order)))  # (256, 256, 3)
    assert rgb.dtype == np.uint8
    for channel in range(3):
        np.testing.assert_array_equal(rgb[..., channel], values >> 8)


@pytest.mark.parametrize("suffix", ["png", "tif", "pgm"])
@pytest.mark.parametrize("factor", [256, 257])  # the two usual ways to stretch 8 bits to 16
def test_a_16_bit_file_equals_its_8_bit_original(tmp_path: Path, suffix: str, factor: int) -> None:
    original = np.random.default_rng(0).integers(0, 256, (24, 32))
    path = tmp_path / f"deep.{suffix}"
    if suffix == "pgm":
        body = (original * factor).astype(">u2").tobytes()
        path.write_bytes(b"P5 32 24 65535\n" + body)
    else:
        _sixteen_bit(original * factor).save(path)
    with Image.open(path) as image:
        rgb = np.asarray(to_rgb(image))
    np.testing.assert_array_equal(rgb, np.repeat(original[..., None], 3, axis=2))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV"])
def test_8_bit_modes_are_what_pillow_makes_of_them(mode: str) -> None:
    colours = np.random.default_rng(1).integers(0, 256, (6, 7, 3), dtype=np.uint8)
    source = Image.fromarray(colours)
    image = source.convert("L").convert("LA") if mode == "LA" else source.convert(mode)
    assert to_rgb(image).tobytes() == image.convert("RGB").tobytes()


def test_values_of_no_fixed_range_are_refused(tmp_path: Path) -> None:
    for kind in (np.int32, np.float32):
        path = tmp_path / f"{kind.__name__}.tif"
        Image.fromarray(np.full((4, 4), 7, kind)).save(path)
        with Image.open(path) as image, pytest.raises(ValueError, match="no fixed range, mode"):
            to_rgb(image)
