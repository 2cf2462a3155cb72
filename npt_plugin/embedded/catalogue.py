"""The drawn few-shot benchmarks: what each shows, and how its look departs from pretraining.

The strength of every shift was chosen by looking at zero-shot, linear-probe and CoOp accuracy,
never at NPT.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from npt_plugin.embedded import shifts
from npt_plugin.embedded.icons import ICON_NAMES
from npt_plugin.embedded.overhead import LAYOUT_NAMES, layout_image
from npt_plugin.embedded.palette import SHADE_NAMES
from npt_plugin.embedded.scenes import BACKGROUNDS, STYLES, object_scene
from npt_plugin.embedded.textures import TEXTURE_NAMES, texture_image
from npt_plugin.embedded.world import contrasting_pair, finish

Rng = np.random.Generator
_PAIR_SHADES = ("crimson", "azure", "green", "amber", "violet", "pink", "black", "cyan")
_PAIR_ICONS = ("car", "cup", "hat", "star", "umbrella", "fish", "heart", "bell")
_PAIRS = tuple((_PAIR_SHADES[(k + 2 * (k // 8)) % 8], _PAIR_ICONS[k % 8]) for k in range(32))


@dataclass(frozen=True)
class Spec:
    """One benchmark.

    Attributes:
        name: name in the dataset registry.
        directory: folder under the data root.
        description: one line for people.
        template: prompt for zero-shot CLIP, ``{}`` is the class name.
        class_names: 32 names; base-to-new protocols take the first half as base.
        draw: class index and random generator -> (48, 48, 3) float32 picture, before camera noise.
    """

    name: str
    directory: str
    description: str
    template: str
    class_names: tuple[str, ...]
    draw: Callable[[int, Rng], np.ndarray]

    def picture(self, label: int, number: int) -> np.ndarray:
        """Draw one picture of a class; the same arguments always give the same picture.

        Args:
            label: class index.
            number: running number within the class.

        Returns:
            (48, 48, 3) uint8.
        """
        salt = sum(ord(letter) * 31**place for place, letter in enumerate(self.name[:12]))
        rng = np.random.default_rng((salt, label, number))
        return finish(self.draw(label, rng), rng)


def _some_background(rng: Rng) -> int:
    return 0 if rng.random() < 0.6 else int(rng.integers(1, len(BACKGROUNDS)))


def _draw_object(label: int, rng: Rng) -> np.ndarray:
    shade, background = int(rng.integers(len(SHADE_NAMES))), _some_background(rng)
    return object_scene(rng, label, shade, background, hard=0.6)


def _draw_sketch(label: int, rng: Rng) -> np.ndarray:
    return object_scene(rng, label, 0, 0, STYLES.index("sketch"), hard=0.6)


def _draw_shade(label: int, rng: Rng) -> np.ndarray:
    pixels = object_scene(rng, ICON_NAMES.index("cup"), label, _some_background(rng), hard=0.5)
    return shifts.warm_light(pixels, 0.6)


def _draw_pair(label: int, rng: Rng) -> np.ndarray:
    shade, icon = _PAIRS[label]
    return object_scene(
        rng, ICON_NAMES.index(icon), SHADE_NAMES.index(shade), _some_background(rng), hard=0.6
    )


def _draw_texture(label: int, rng: Rng) -> np.ndarray:
    return texture_image(label, rng, *contrasting_pair(rng))


def _draw_layout(label: int, rng: Rng) -> np.ndarray:
    return shifts.near_infrared(layout_image(label, rng), 0.7)


_ALL = (
    Spec(
        "EmbeddedObjects",
        "embedded_objects",
        "32 everyday objects",
        "a photo of a {}.",
        ICON_NAMES,
        _draw_object,
    ),
    Spec(
        "EmbeddedShades",
        "embedded_shades",
        "cups in 32 shades",
        "a photo of a {} cup.",
        SHADE_NAMES,
        _draw_shade,
    ),
    Spec(
        "EmbeddedTextures",
        "embedded_textures",
        "32 textures",
        "{} texture.",
        TEXTURE_NAMES,
        _draw_texture,
    ),
    Spec(
        "EmbeddedOverhead",
        "embedded_overhead",
        "32 land uses",
        "a satellite photo of {}.",
        LAYOUT_NAMES,
        _draw_layout,
    ),
    Spec(
        "EmbeddedSketches",
        "embedded_sketches",
        "pen sketches of the 32 objects",
        "a sketch of a {}.",
        ICON_NAMES,
        _draw_sketch,
    ),
    Spec(
        "EmbeddedPairs",
        "embedded_pairs",
        "32 pairs of a colour and an object",
        "a photo of a {}.",
        tuple(" ".join(pair) for pair in _PAIRS),
        _draw_pair,
    ),
)
#: Registry name -> benchmark.
BENCHMARKS: dict[str, Spec] = {spec.name: spec for spec in _ALL}
