"""The drawn few-shot benchmarks: what each shows, and how its look departs from pretraining.

The strength of every shift was chosen by looking at zero-shot, linear-probe and CoOp accuracy,
never at NPT. Class labels follow the alphabet, so base and new classes are the two halves of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from npt_plugin.embedded import artists, shifts
from npt_plugin.embedded.icons import ICON_NAMES
from npt_plugin.embedded.overhead import LAYOUT_NAMES, layout_image
from npt_plugin.embedded.palette import SHADE_NAMES
from npt_plugin.embedded.scenes import BACKGROUNDS, STYLES, object_scene
from npt_plugin.embedded.textures import TEXTURE_NAMES, texture_image
from npt_plugin.embedded.world import contrasting_pair, finish
from npt_plugin.errors import UserError, nearest_hint

Rng = np.random.Generator
_PAIR_SHADES = ("crimson", "azure", "green", "amber", "violet", "pink", "black", "cyan")
_PAIR_ICONS = ("car", "cup", "hat", "star", "umbrella", "fish", "heart", "bell")
_PAIRS = tuple(
    f"{_PAIR_SHADES[(k + 2 * (k // 8)) % 8]} {_PAIR_ICONS[k % 8]}" for k in range(32)
)  # every colour and every object four times


@dataclass(frozen=True)
class Spec:
    """One benchmark.

    Attributes:
        name: Name in the dataset registry.
        directory: Folder under the data root.
        description: One line for people.
        template: Prompt for zero-shot CLIP, ``{}`` is the class name.
        class_names: 32 names; base-to-new protocols take the first half as base.
        draw: Class name and random generator -> (48, 48, 3) float32 picture, before camera noise.
    """

    name: str
    directory: str
    description: str
    template: str
    class_names: tuple[str, ...]
    draw: Callable[[str, Rng], np.ndarray]

    def picture(self, label: int, number: int) -> np.ndarray:
        """Draw one picture of a class; the same arguments always give the same picture.

        Args:
            label: Class index.
            number: Running number within the class.

        Returns:
            (48, 48, 3) uint8.
        """
        salt = [ord(letter) for letter in self.name]
        rng = np.random.default_rng((*salt, label, number))
        return finish(self.draw(self.class_names[label], rng), rng)


def _background(rng: Rng) -> int:
    return 0 if rng.random() < 0.6 else int(rng.integers(1, len(BACKGROUNDS)))


def _object(name: str, rng: Rng) -> np.ndarray:
    """Draw an object in any colour through a lens that flattens everything."""
    shade, background = int(rng.integers(len(SHADE_NAMES))), _background(rng)
    icon = ICON_NAMES.index(name)
    return object_scene(rng, icon, shade, background, hard=0.2, squeeze=0.5)


def _sketch(name: str, rng: Rng) -> np.ndarray:
    """Draw the outline of an object on tilted paper."""
    style = STYLES.index("sketch")
    return object_scene(rng, ICON_NAMES.index(name), 0, 0, style, hard=0.2, tilt=25.0)


def _shade(name: str, rng: Rng) -> np.ndarray:
    """Draw a cup of one shade by lamplight."""
    icon, shade = ICON_NAMES.index("cup"), SHADE_NAMES.index(name)
    pixels = object_scene(rng, icon, shade, _background(rng), hard=0.5)
    return shifts.warm_light(pixels, 0.8)


def _pair(name: str, rng: Rng) -> np.ndarray:
    """Draw an object of one shade, seen by a camera whose hues are off, through a flat lens."""
    shade, icon = name.split(" ")
    where = ICON_NAMES.index(icon), SHADE_NAMES.index(shade), _background(rng)
    pixels = object_scene(rng, *where, hard=0.2, squeeze=0.45)
    return shifts.turn_hue(pixels, 30)


def _texture(name: str, rng: Rng) -> np.ndarray:
    """Draw a texture turned by a quarter."""
    return np.rot90(texture_image(TEXTURE_NAMES.index(name), rng, *contrasting_pair(rng)))


def _layout(name: str, rng: Rng) -> np.ndarray:
    """Draw a land use on false-colour infrared film with a colour cast."""
    pixels = shifts.near_infrared(layout_image(LAYOUT_NAMES.index(name), rng), 1.0)
    return shifts.turn_hue(pixels, -30)


def _spec(
    kind: str,
    description: str,
    template: str,
    names: tuple[str, ...],
    draw: Callable[[str, Rng], np.ndarray],
) -> Spec:
    folder = f"embedded_{kind.lower()}"
    return Spec(f"Embedded{kind}", folder, description, template, tuple(sorted(names)), draw)


_OBJECT_PROMPT, _SKETCH_PROMPT = "a photo of a {}.", "a sketch of a {}."
_OVERHEAD_PROMPT = "a satellite photo of {}."
BENCHMARKS: dict[str, Spec] = {
    spec.name: spec
    for spec in (
        _spec("Objects", "everyday objects, flattened", _OBJECT_PROMPT, ICON_NAMES, _object),
        _spec(
            "Shades", "shades of a cup by lamplight", "a photo of a {} cup.", SHADE_NAMES, _shade
        ),
        _spec("Textures", "textures, turned by a quarter", "{} texture.", TEXTURE_NAMES, _texture),
        _spec("Overhead", "land use in infrared", _OVERHEAD_PROMPT, LAYOUT_NAMES, _layout),
        _spec("Sketches", "pen sketches, tilted", _SKETCH_PROMPT, ICON_NAMES, _sketch),
        _spec("Pairs", "an object in a colour, hues off", _OBJECT_PROMPT, _PAIRS, _pair),
        _spec("Posters", "objects as screen prints", _OBJECT_PROMPT, ICON_NAMES, artists.poster),
        _spec("Woodcuts", "land use in wood", _OVERHEAD_PROMPT, LAYOUT_NAMES, artists.woodcut),
    )
}
"""Registry name -> benchmark."""


def spec_of(name: str) -> Spec:
    """A benchmark by its registry name.

    Args:
        name: For example ``EmbeddedObjects``.

    Raises:
        UserError: If there is none of that name.
    """
    if name not in BENCHMARKS:
        raise UserError(
            f"Unknown embedded benchmark {name!r}{nearest_hint(name, BENCHMARKS)}: choose from "
            f"{', '.join(BENCHMARKS)}."
        )
    return BENCHMARKS[name]
