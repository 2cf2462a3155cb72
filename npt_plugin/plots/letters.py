"""Names in any script: each text gets a font that has its letters, or the picture says none has."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # matplotlib is optional
    from matplotlib.figure import Figure

NOTE = "Letters shown as boxes are in no font of this machine; the Noto fonts have most."


@contextmanager
def fitted(figure: Figure) -> Iterator[None]:
    """Fonts set for every text; within, matplotlib does not warn of letters that are in none."""
    from matplotlib.text import Text

    lacking = False
    for text in figure.findobj(Text):
        letters = frozenset(map(ord, text.get_text())) - _held("") - {10}
        if not letters:
            continue
        family = _family_with(letters)
        if family is None:
            lacking = True
        else:
            text.set_fontfamily([*text.get_fontfamily(), family])
    if lacking:
        figure.supxlabel(NOTE, fontsize=8, x=0.01, ha="left")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


@lru_cache(maxsize=512)
def _held(file: str) -> frozenset[int]:
    """Letters of a font file, as numbers; of the standard font without one."""
    from matplotlib import font_manager

    path = file or font_manager.findfont(font_manager.FontProperties())
    try:
        return frozenset(font_manager.get_font(path).get_charmap())
    except (OSError, RuntimeError):  # a damaged font is no font
        return frozenset()


@lru_cache(maxsize=64)
def _family_with(letters: frozenset[int]) -> str | None:
    """An upright installed family with all the letters; None if there is none."""
    from matplotlib import font_manager

    _add_new_fonts()
    fonts = [
        font
        for font in font_manager.fontManager.ttflist
        if font.style == "normal" and "Last Resort" not in font.name  # has boxes for all letters
    ]
    fonts.sort(key=lambda font: (abs(_weight(font.weight) - 400), font.name))
    return next((font.name for font in fonts if letters <= _held(font.fname)), None)


@lru_cache(maxsize=1)
def _add_new_fonts() -> None:
    """Fonts installed after matplotlib last looked; it keeps a list of its own."""
    from matplotlib import font_manager

    known = {font.fname for font in font_manager.fontManager.ttflist}
    for file in sorted({*font_manager.findSystemFonts()} - known):
        with suppress(OSError, RuntimeError):  # a damaged font is no font
            font_manager.fontManager.addfont(file)


def _weight(weight: int | str) -> int:
    return weight if isinstance(weight, int) else {"bold": 700, "light": 300}.get(weight, 400)
