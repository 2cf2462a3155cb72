"""What images a CLIP takes, asked before anything is built: the data are prepared first."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import isqrt
from pathlib import Path
from typing import Any, NamedTuple

from npt_plugin.backbone.loading import TINY
from npt_plugin.backbone.open_clip_source import PREFIX, open_clip_pixels
from npt_plugin.backbone.openai import MEAN, STD
from npt_plugin.backbone.random_weights import SHAPES
from npt_plugin.backbone.tiny import WEIGHTS_FILE
from npt_plugin.backbone.weights_file import tensor_shapes
from npt_plugin.errors import UserError

Shapes = Mapping[str, tuple[int, ...]]


class ImageInput(NamedTuple):
    """Images as a model was trained on them.

    Attributes:
        size: Height and width in pixels.
        mean, std: Of the three channels, by which pixels in [0, 1] are normalised.
    """

    size: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]


def image_input(model: Any) -> ImageInput | None:
    """The images that a config's CLIP takes; None where only loading it can tell.

    Args:
        model: The config's ``MODEL`` node.
    """
    if model.CLIP_WEIGHTS:
        return _of_path(model.CLIP_WEIGHTS)
    name = model.BACKBONE.NAME
    if name == TINY:
        return _of_path(str(WEIGHTS_FILE))
    if name in SHAPES:
        size = SHAPES[name][1]
        assert isinstance(size, int)
        return _of_openai(size)
    if name.startswith(PREFIX):
        pixels = open_clip_pixels(name.removeprefix(PREFIX))
        return None if pixels is None else ImageInput(*pixels)
    return _of_path(name) if name else None


def _of_openai(size: int) -> ImageInput:
    return ImageInput((size, size), MEAN, STD)


def _of_path(path: str) -> ImageInput | None:
    place = Path(path).expanduser()
    if not place.is_file():
        return None
    about = place.stat()
    return _of_file(place, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=32)
def _of_file(path: Path, changed: int, size: int) -> ImageInput | None:
    """Read once: a sweep asks for each of its runs."""
    try:
        pixels = _openai_size(tensor_shapes(path))
    except UserError:  # loading says it
        return None
    return None if pixels is None else _of_openai(pixels)


def _openai_size(shapes: Shapes) -> int | None:
    """Pixels a side of a model with OpenAI's names: positions but one are patches."""
    if "visual.conv1.weight" not in shapes:
        return None
    patches = "visual.positional_embedding", "visual.attnpool.positional_embedding"
    for name, side in zip(patches, (shapes["visual.conv1.weight"][-1], 32), strict=True):
        if name in shapes:
            return side * isqrt(shapes[name][0] - 1)
    return None
