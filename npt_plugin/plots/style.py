"""One look for every picture: colours that colour-blind readers can tell apart, PNG and SVG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from npt_plugin.errors import UserError
from npt_plugin.system.files import write_atomically

if TYPE_CHECKING:  # matplotlib is optional
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's palette without its yellow, which white paper swallows."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
"""Shapes besides, for print without colours."""

_DPI = 150


def new_figure(
    width: float = 6.4, height: float = 4.0, columns: int = 1
) -> tuple[Figure, list[Any]]:
    """A figure and its axes, laid out so that nothing overlaps.

    Args:
        width: Inches.
        height: Inches.
        columns: Axes side by side.

    Raises:
        UserError: If matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise UserError("Pictures need matplotlib: run `pip install matplotlib`.") from None
    figure = Figure(figsize=(width, height), layout="constrained", dpi=_DPI)
    FigureCanvasAgg(figure)  # draws without a display, and leaves pyplot's state alone
    axes = figure.subplots(1, columns, squeeze=False)[0]
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(True, alpha=0.25, linewidth=0.6)
        axis.set_axisbelow(True)
    return figure, list(axes)


def colour(number: int) -> str:
    """Colour of the n-th thing drawn."""
    return COLOURS[number % len(COLOURS)]


def marker(number: int) -> str:
    """Shape of the n-th thing drawn."""
    return MARKERS[number % len(MARKERS)]


def short(names: Sequence[str], most: int = 18) -> list[str]:
    """Class names short enough for an axis."""
    spaced = [name.replace("_", " ") for name in names]
    return [name if len(name) <= most else name[: most - 1] + "…" for name in spaced]


def png(figure: Figure) -> bytes:
    """The figure as PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI)
    return buffer.getvalue()


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write ``name.png`` and ``name.svg`` atomically; returns their paths."""
    import matplotlib

    vector = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "npt"}):  # the same file from the same numbers
        figure.savefig(vector, format="svg", metadata={"Date": None})
    written = []
    for ending, data in ((".png", png(figure)), (".svg", vector.getvalue())):
        path = folder / f"{name}{ending}"
        write_atomically(path, partial(_write, data))
        written.append(path)
    return written


def _write(data: bytes, file: IO[bytes]) -> None:
    file.write(data)
