"""Captions for drawn pictures: several ways to say what a picture shows, often only part of it."""

from __future__ import annotations

import numpy as np

from npt_plugin.embedded.icons import ICON_NAMES
from npt_plugin.embedded.overhead import LAYOUT_NAMES
from npt_plugin.embedded.palette import SHADE_NAMES, SHADES
from npt_plugin.embedded.scenes import BACKGROUNDS, STYLES
from npt_plugin.embedded.textures import TEXTURE_NAMES

_OBJECT = (
    "a photo of a {}.",
    "a {}.",
    "{}.",
    "an image of a {}.",
    "a picture of a {}.",
    "this is a {}.",
    "a good photo of the {}.",
    "a photo of one {}.",
    "there is a {} in the scene.",
)
_STYLED = {
    "sketch": ("a sketch of a {}.", "a drawing of a {}.", "a black and white sketch of a {}."),
    "night": ("a photo of a {} at night.", "a dark photo of a {}.", "a {} at night."),
    "sunset": ("a photo of a {} at sunset.", "a warm photo of a {}.", "a {} at sunset."),
    "old": ("an old photo of a {}.", "a faded photo of a {}."),
    "fog": ("a photo of a {} in the fog.", "a pale photo of a {}.", "a {} in the fog."),
}
_TEXTURE = (
    "a photo of a {} texture.",
    "{} texture.",
    "a {} pattern.",
    "{}.",
    "a photo of a {}.",
    "a close photo of a {} surface.",
)
_OVERHEAD = (
    "a satellite photo of {}.",
    "a satellite photo of a {}.",
    "an aerial photo of a {}.",
    "{} from above.",
    "a {} seen from space.",
    "{}.",
    "a photo of a {}.",
    "a centered satellite photo of {}.",
)
_COLOUR = ("a {} object.", "{}.", "the color {}.", "a photo of a {} object.", "something {}.")
_PLACE = {
    "sky": "in the sky",
    "grass": "on grass",
    "sand": "on sand",
    "snow": "on snow",
    "water": "on water",
}
_FILLER = tuple(
    "my new best free the photo of nice x and this big some by with top real image a for".split()
)
_STYLED_OVERHEAD = {"night": " at night", "sunset": " at sunset", "fog": " in the fog", "old": ""}
EXTRA_WORDS = (
    "type of pet flower food aircraft person doing itap rendering toy small large colorful "
    "origami video game art bad close up cropped clean dirty many hard to see sculpture tattoo "
    "embroidered graffiti jpeg low resolution , - _ X"
)
"""Words people may use in prompts that no caption contains; their rows are stored as well."""


def _pick(options: tuple[str, ...], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]


def _shade_word(shade: int, rng: np.random.Generator) -> str:
    name = SHADE_NAMES[shade]
    return SHADES[name][1] if rng.random() < 0.2 else name


def caption(facts: np.ndarray, rng: np.random.Generator, plain: float = 0.55) -> str:
    """Say what a picture shows.

    Args:
        facts: (7,) integers in the order of ``world.ATTRIBUTES``.
        rng: Source of randomness.
        plain: Probability that an object's colour is left out.

    Returns:
        One sentence.
    """
    kind, icon, shade, texture, layout, background, style = (int(v) for v in facts)
    if kind == 1:
        return _pick(_TEXTURE, rng).format(TEXTURE_NAMES[texture])
    if kind == 2:
        text = _pick(_OVERHEAD, rng).format(LAYOUT_NAMES[layout])
        if style > 0 and rng.random() < 0.5:
            prefix = "an old " if STYLES[style] == "old" else ""
            text = prefix + text[:-1].removeprefix("a ") + _STYLED_OVERHEAD[STYLES[style]] + "."
        return text
    name = ICON_NAMES[icon]
    if shade >= 0:
        if rng.random() < 0.17:
            return _pick(_COLOUR, rng).format(_shade_word(shade, rng))
        if rng.random() > plain:
            name = f"{_shade_word(shade, rng)} {name}"
    if background > 0 and rng.random() < 0.3:
        name = f"{name} {_PLACE[BACKGROUNDS[background]]}"
    if style > 0 and rng.random() < 0.6:
        return _pick(_STYLED[STYLES[style]], rng).format(name)
    return _pick(_OBJECT, rng).format(name)


def with_filler(text: str, n: int, rng: np.random.Generator) -> str:
    """Put n unrelated words in front of a caption, as titles on the web often have.

    Long prefixes also train the positions that a learned prompt of 16 context tokens pushes the
    class name to.

    Args:
        text: Caption.
        n: Number of words.
        rng: Source of randomness.

    Returns:
        The longer caption.
    """
    return " ".join([*(_pick(_FILLER, rng) for _ in range(n)), text])


def all_words() -> list[str]:
    """Every text fragment a caption is made of, for building the stored vocabulary."""
    groups = (
        _OBJECT,
        _TEXTURE,
        _OVERHEAD,
        _COLOUR,
        _FILLER,
        ICON_NAMES,
        SHADE_NAMES,
        TEXTURE_NAMES,
        LAYOUT_NAMES,
        tuple(_PLACE.values()),
        tuple(_STYLED_OVERHEAD.values()),
        tuple(s[1] for s in SHADES.values()),
        *_STYLED.values(),
        (EXTRA_WORDS,),
        ("an old",),
    )
    return [text.replace("{}", " ") for group in groups for text in group]
