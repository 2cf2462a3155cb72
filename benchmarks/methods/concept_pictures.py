"""The pictures of docs/concepts.md: what a simplex, a class half and an imbalance ratio look like.

python benchmarks/methods/concept_pictures.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from npt_plugin.datasets.imbalance import class_sizes
from npt_plugin.geometry.etf import simplex_etf
from npt_plugin.plots.style import COLOURS, new_figure, png

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
SHOTS = CLASSES = 16
GROUPS = {"many": COLOURS[0], "medium": COLOURS[2], "few": COLOURS[1]}
GREY = "0.75"


def imbalance(path: Path) -> None:
    """Training images a class at three ratios, coloured by group."""
    figure, axes = new_figure(9.0, 2.6, columns=3)
    for axis, ratio in zip(axes, (1.0, 0.25, 0.06), strict=True):
        sizes = np.array(class_sizes(CLASSES, SHOTS, ratio))
        groups = np.where(sizes > SHOTS / 2, "many", np.where(sizes < SHOTS / 5, "few", "medium"))
        for name, colour in GROUPS.items():
            there = np.flatnonzero(groups == name)
            axis.bar(there, sizes[there], color=colour, label=name)
        axis.set_title(f"tau {ratio:g}: {sizes.sum()} images", fontsize=10)
        axis.set_xticks([0, CLASSES - 1], ["class 1", f"class {CLASSES}"])
        axis.set_yticks(range(0, SHOTS + 1, 4))
    axes[0].set_ylabel("training images")
    axes[2].legend(frameon=False, fontsize=9)
    path.write_bytes(png(figure))


def base_to_new(path: Path) -> None:
    """Which classes train and which are tested."""
    figure, (axis,) = new_figure(7.2, 1.9)
    half = CLASSES // 2
    rows = {"train": (COLOURS[0], "none"), "test": (COLOURS[0], COLOURS[1])}
    for place, (name, (base, new)) in enumerate(rows.items()):
        for k in range(CLASSES):
            colour = base if k < half else new
            style = {"color": colour} if colour != "none" else {"fc": "none", "ec": GREY, "ls": ":"}
            axis.add_patch(_square(k, 1 - place, **style))
        axis.text(-0.5, 1.4 - place, name, ha="right", va="center")
    for x, text in ((half / 2, "base classes"), (1.5 * half, "new classes")):
        axis.text(x, 2.05, text, ha="center", va="bottom")
    for x, text in ((half / 2, "base accuracy"), (1.5 * half, "new accuracy")):
        axis.text(x, -0.1, text, ha="center", va="top")
    axis.set_xlim(-2, CLASSES)
    axis.set_ylim(-0.6, 2.5)
    axis.set_axis_off()
    path.write_bytes(png(figure))


def _square(x: float, y: float, **style: str) -> object:
    from matplotlib.patches import Rectangle

    return Rectangle((x + 0.05, y), 0.85, 0.8, **style)


def simplex(path: Path) -> None:
    """The ETF of three vectors in the plane, and of four in space, seen from the side."""
    figure, axes = new_figure(7.2, 3.1, columns=2)
    views = (np.eye(2), _seen_from_the_side())
    for axis, k, view in zip(axes, (3, 4), views, strict=True):
        corners = simplex_etf(k, k - 1).numpy() @ view
        for a in range(k):
            for b in range(a):
                axis.plot(*corners[[a, b]].T, color=GREY, linewidth=1, zorder=1)
        for number, (x, y) in enumerate(corners):
            style = {"arrowstyle": "-|>", "color": COLOURS[number], "linewidth": 2.2}
            axis.annotate("", xy=(x, y), xytext=(0, 0), arrowprops=style)
            far = 1 + 0.25 / np.hypot(x, y)
            axis.text(far * x, far * y, f"class {number + 1}", ha="center", va="center")
        axis.set_title(f"K = {k}: every cosine is −1/{k - 1}", fontsize=10)
        axis.set_xlim(-1.5, 1.5)
        axis.set_ylim(-1.35, 1.05)
        axis.set_aspect("equal")
        axis.set_axis_off()
    path.write_bytes(png(figure))


def _seen_from_the_side() -> np.ndarray:
    """(3, 2): what an eye above and beside sees of space."""
    turn, lift = np.radians(25), np.radians(20)
    right = np.array([np.cos(turn), np.sin(turn), 0])
    up = np.array([np.sin(turn) * np.sin(lift), -np.cos(turn) * np.sin(lift), np.cos(lift)])
    return np.stack([right, up], axis=1)


def main() -> int:
    """Draw all three."""
    IMAGES.mkdir(exist_ok=True)
    for draw in (imbalance, base_to_new, simplex):
        draw(IMAGES / f"{draw.__name__}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
