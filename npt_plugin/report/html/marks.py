"""Shapes for points, one a trainer, so that colour is never all that tells two apart."""

from __future__ import annotations

_SHAPES = (
    "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0z",  # circle
    "M-3.6,-3.6h7.2v7.2h-7.2z",  # square
    "M0,-4.6L4.6,3.6H-4.6z",  # triangle
    "M0,-5L5,0L0,5L-5,0z",  # diamond
    "M0,4.6L4.6,-3.6H-4.6z",  # triangle, upside down
    "M-1.5,-4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z",  # plus
)


def mark(number: int, x: str, y: str) -> str:
    """The n-th shape at a place, in the n-th colour."""
    shape = _SHAPES[number % len(_SHAPES)]
    return f'<path class="mark c{number % 7}" transform="translate({x},{y})" d="{shape}"/>'


def key(names: list[str]) -> str:
    """A legend: each name beside its shape."""
    shown = "".join(
        f'<li><svg width="14" height="14" aria-hidden="true">{mark(i, "7", "7")}</svg>{name}</li>'
        for i, name in enumerate(names)
    )
    return f'<ul class="key">{shown}</ul>'
