"""What images a CLIP takes, asked before anything is built: the data are prepared first."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import isqrt
from pathlib import Path
from typing import Any, NamedTuple

from npt_plugin.backbone import hugging_face_folder, open_clip_file, open_clip_source
from npt_plugin.backbone.files import Kind, kind_of, weights_in
from npt_plugin.backbone.loading import TINY, architecture_of
from npt_plugin.backbone.open_clip_package import PREFIX
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
    name, architecture = model.BACKBONE.NAME, architecture_of(model.BACKBONE.NAME)
    try:
        if model.CLIP_WEIGHTS:
            return _of_path(Path(model.CLIP_WEIGHTS), architecture)
        if name == TINY:
            return _of({"size": _openai_size(tensor_shapes(WEIGHTS_FILE))})
        if name.startswith(PREFIX):
            return _of_open_clip(name.removeprefix(PREFIX))
        if name in SHAPES:
            return _of({"size": SHAPES[name][1]})
        return _of_path(Path(name)) if name else None
    except UserError:  # loading says it
        return None


def _of(said: Mapping[str, Any]) -> ImageInput:
    """What a config says; what it leaves out is OpenAI's."""
    size = said["size"]
    height, width = (size, size) if isinstance(size, int) else size
    mean, std = said.get("mean") or MEAN, said.get("std") or STD
    return ImageInput((height, width), tuple(mean), tuple(std))


@lru_cache(maxsize=32)
def _of_open_clip(name: str) -> ImageInput | None:
    """Asked once, as a hub out of reach takes its time to say so."""
    try:
        return _of(open_clip_source.image_config(name))
    except UserError:
        return None


def _of_path(path: Path, architecture: str = "") -> ImageInput | None:
    file = weights_in(path.expanduser())
    stamps = [f.stat().st_mtime_ns for f in (file, *sorted(file.parent.glob("*config.json")))]
    return _of_file(file, architecture, tuple(stamps), file.stat().st_size)


@lru_cache(maxsize=32)
def _of_file(file: Path, architecture: str, stamps: Any, size: int) -> ImageInput | None:
    """Read once and again when a file has changed: a sweep asks for each of its runs."""
    shapes = tensor_shapes(file)
    kind = kind_of(file, shapes, architecture)
    if kind is Kind.HUGGING_FACE:
        return _of(hugging_face_folder.image_config(file))
    if kind is Kind.OPEN_CLIP:
        return _of(open_clip_file.image_config(file, architecture))
    pixels = _openai_size(shapes)
    return None if pixels is None else _of({"size": pixels})


def _openai_size(shapes: Shapes) -> int | None:
    """Pixels a side of a model with OpenAI's names: positions but one are patches."""
    if "visual.conv1.weight" not in shapes:
        return None
    patches = "visual.positional_embedding", "visual.attnpool.positional_embedding"
    for name, side in zip(patches, (shapes["visual.conv1.weight"][-1], 32), strict=True):
        if name in shapes:
            return side * isqrt(shapes[name][0] - 1)
    return None
