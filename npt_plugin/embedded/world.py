"""The drawn world: what a picture can show, and one picture from a seed and a number."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np

from npt_plugin.embedded import palette
from npt_plugin.embedded.icons import ICON_NAMES
from npt_plugin.embedded.overhead import LAYOUT_NAMES, layout_image
from npt_plugin.embedded.palette import SHADE_NAMES
from npt_plugin.embedded.scenes import BACKGROUNDS, STYLES, apply_style, object_scene
from npt_plugin.embedded.textures import TEXTURE_NAMES, texture_image

SIZE = 48
KINDS: tuple[str, ...] = ("object", "texture", "overhead")
_KIND_SHARE = (0.66, 0.17, 0.17)
_STYLE_SHARE = (0.64, 0.12, 0.06, 0.06, 0.06, 0.06)


@dataclass(frozen=True)
class Facts:
    """What a picture shows; -1 where an attribute does not apply.

    Attributes:
        kind: Position in ``KINDS``.
        icon: Position in ``ICON_NAMES``.
        shade: Position in ``SHADE_NAMES``.
        texture: Position in ``TEXTURE_NAMES``.
        layout: Position in ``LAYOUT_NAMES``.
        background: Position in ``BACKGROUNDS``.
        style: Position in ``STYLES``.
    """

    kind: int
    icon: int = -1
    shade: int = -1
    texture: int = -1
    layout: int = -1
    background: int = -1
    style: int = 0


ATTRIBUTES: dict[str, int] = {
    "kind": len(KINDS),
    "icon": len(ICON_NAMES),
    "shade": len(SHADE_NAMES),
    "texture": len(TEXTURE_NAMES),
    "layout": len(LAYOUT_NAMES),
    "background": len(BACKGROUNDS),
    "style": len(STYLES),
}
"""Attributes with the number of values each can take, in the order of ``Facts``."""


def finish(pixels: np.ndarray, rng: np.random.Generator, noise: float = 5.0) -> np.ndarray:
    """Add camera noise, a small change of brightness, and round to bytes.

    Args:
        pixels: (48, 48, 3) float32.
        rng: Source of randomness.
        noise: Standard deviation of the pixel noise, 0..255 units.

    Returns:
        (48, 48, 3) uint8.
    """
    gain = np.float32(rng.normal(1.0, 0.04))
    grain = rng.standard_normal(pixels.shape, dtype=np.float32) * np.float32(noise)
    return np.clip(pixels * gain + grain, 0, 255).astype(np.uint8)


def contrasting_pair(
    rng: np.random.Generator, apart: float = 90.0
) -> tuple[np.ndarray, np.ndarray]:
    """Draw two colours that differ by at least ``apart`` in brightness (best of eight tries).

    Args:
        rng: Source of randomness.
        apart: Wanted difference of mean channel value, 0..255 units.

    Returns:
        Two float32 arrays (3,).
    """
    one = palette.any_rgb(rng)
    two = max(
        (palette.any_rgb(rng) for _ in range(8)),
        key=lambda c: min(abs(float((c - one).mean())), apart),
    )
    return one, two


def draw_world(seed: int, index: int, hard: float) -> tuple[np.ndarray, Facts]:
    """Draw picture number ``index`` of the pretraining world.

    Args:
        seed: Seed of the world.
        index: Number of the picture; the same (seed, index, hard) is always the same picture.
        hard: Difficulty of object scenes, 0..1.

    Returns:
        (48, 48, 3) uint8 and the facts it shows.
    """
    rng = np.random.default_rng((seed, index))
    kind = int(rng.choice(3, p=_KIND_SHARE))
    if KINDS[kind] == "object":
        style = int(rng.choice(len(STYLES), p=_STYLE_SHARE))
        facts = Facts(
            kind,
            icon=int(rng.integers(32)),
            shade=int(rng.integers(32)),
            background=0 if rng.random() < 0.6 else int(rng.integers(1, len(BACKGROUNDS))),
            style=style,
        )
        pixels = object_scene(
            rng, facts.icon, facts.shade, facts.background, style, hard * rng.random() ** 0.5
        )
        if STYLES[style] in ("sketch", "old"):  # their colours cannot be seen
            facts = Facts(
                kind,
                icon=facts.icon,
                background=-1 if STYLES[style] == "sketch" else facts.background,
                style=style,
            )
    elif KINDS[kind] == "texture":
        facts = Facts(kind, texture=int(rng.integers(32)))
        pixels = texture_image(facts.texture, rng, *contrasting_pair(rng))
    else:
        style = 0 if rng.random() < 0.75 else int(rng.integers(2, len(STYLES)))
        facts = Facts(kind, layout=int(rng.integers(32)), style=style)
        pixels = apply_style(layout_image(facts.layout, rng), STYLES[style])
    return finish(pixels, rng), facts


def draw_many(seed: int, start: int, stop: int, total: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw a run of pictures; difficulty grows with the number, so a prefix is an easy world.

    Args:
        seed: Seed of the world.
        start: First picture.
        stop: One past the last picture.
        total: Number of pictures in the whole world.

    Returns:
        uint8 (N, 48, 48, 3) and int16 (N, 7) facts, columns as in ``ATTRIBUTES``.
    """
    images = np.empty((stop - start, SIZE, SIZE, 3), dtype=np.uint8)
    facts = np.empty((stop - start, len(ATTRIBUTES)), dtype=np.int16)
    for row, index in enumerate(range(start, stop)):
        images[row], fact = draw_world(seed, index, hard=min(0.7, 1.4 * index / total))
        facts[row] = astuple(fact)
    return images, facts
