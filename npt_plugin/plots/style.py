"""One look for every picture: colours that colour-blind readers can tell apart, PNG and SVG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from npt_plugin.errors import UserError
from npt_plugin.plots.letters import fitted
from npt_plugin.system.files import write_atomically

if TYPE_CHECKING:  # matplotlib is optional
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's palette without its yellow, which white paper swallows."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*", "h")
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


def legend_below(figure: Figure, *axes: Any, order: Sequence[str] = ()) -> None:
    """One legend for all axes, below them, so that it lies on nothing that is drawn.

    Args:
        figure: Theirs.
        axes: At least one.
        order: Labels that come first, in this order.
    """
    named: dict[str, Any] = dict.fromkeys(order)
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            named[label] = named.get(label) or handle
    named = {label: handle for label, handle in named.items() if handle is not None}
    widest = max(map(len, named), default=1)
    columns = max(1, min(len(named), int(figure.get_figwidth() * 11 / (widest + 7))))
    look: dict[str, Any] = {"loc": "outside lower center", "frameon": False, "fontsize": 9}
    figure.legend(named.values(), named.keys(), ncols=columns, **look)


def png(figure: Figure) -> bytes:
    """The figure as PNG."""
    buffer = io.BytesIO()
    with fitted(figure):
        figure.savefig(buffer, format="png", dpi=_DPI)
    return buffer.getvalue()


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write ``name.png`` and ``name.svg`` atomically; returns their paths."""
    import matplotlib

    vector = io.BytesIO()
    with (
        matplotlib.rc_context({"svg.hashsalt": "npt"}),
        fitted(figure),
    ):  # the same file from the same numbers
        figure.savefig(vector, format="svg", metadata={"Date": None})
    written = []
    for ending, data in ((".png", png(figure)), (".svg", vector.getvalue())):
        path = folder / f"{name}{ending}"
        write_atomically(path, partial(_write, data))
        written.append(path)
    return written


def _write(data: bytes, file: IO[bytes]) -> None:
    file.write(data)
