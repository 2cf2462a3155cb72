"""From any image mode to 8-bit RGB, or a refusal; needs nothing but Pillow."""

from __future__ import annotations

from PIL import Image


def to_rgb(image: Image.Image) -> Image.Image:
    """An image as 8-bit RGB.

    Pillow's own ``convert`` clips 16-bit values at 255, which turns such images white. Here their
    upper 8 bits are kept. Transparency is dropped and EXIF rotation ignored, as in CoOp.

    Args:
        image: Any Pillow image, opened or made in memory.

    Raises:
        ValueError: A mode whose values have no fixed range (32-bit integers, floating point).
    """
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        raise ValueError(
            f"it holds values of no fixed range, mode {image.mode}; save it with 8 or 16 bits"
        )
    return image.convert("RGB")
