"""The two pictures of the first page: accuracy by class frequency, and paired differences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from evidence_tables import over_datasets
from front_page import PAIRS, differences
from study_records import Record

from npt_plugin.evaluation.averages import interval, mean_and_sd
from npt_plugin.plots.style import COLOURS, MARKERS, new_figure, png

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
RULES = {"epochs": "equal epochs (the papers' rule)", "steps": "equal steps"}
GROUPS = {
    "many": "many\n(over 8 images)",
    "medium": "medium",
    "few": "few\n(3 or fewer)",
    "new": "new\n(never seen)",
}
TAU = 0.06


def frequency(records: Sequence[Record], path: Path) -> None:
    """Accuracy by class frequency of CoOp beside NPT_CoOp: mean and spread over the seeds."""
    figure, axes = new_figure(9.0, 3.6, columns=2)
    for axis, (rule, title) in zip(axes, RULES.items(), strict=True):
        for place, (name, label) in enumerate((("CoOp", "CoOp"), ("NPT_CoOp (v3)", "NPT_CoOp"))):
            found = over_datasets(records, name, TAU, rule)
            stats = [mean_and_sd([values[g] for values in found.values()]) for g in GROUPS]
            means, spreads = zip(*stats, strict=True)
            x = np.arange(len(GROUPS)) + 0.36 * place - 0.18
            axis.errorbar(
                x,
                means,
                yerr=spreads,
                fmt=MARKERS[place],
                color=COLOURS[place],
                markersize=7,
                capsize=4,
                label=label,
            )
            for at, mean, spread in zip(x, means, spreads, strict=True):
                over = mean + spread + 0.6
                axis.text(at, over, f"{mean:.1f}", ha="center", va="bottom", fontsize=8)
        axis.set_title(f"{title}, {len(found)} seeds", fontsize=10)
        axis.set_xticks(range(len(GROUPS)), GROUPS.values(), fontsize=8.5)
        axis.set_xlim(-0.5, len(GROUPS) - 0.5)
        axis.set_ylim(62, 102)
        axis.axvline(2.5, color="0.6", linewidth=0.8, linestyle=":")
    axes[0].set_ylabel("accuracy, %")
    axes[0].legend(loc="upper right", frameon=False)
    title = "Accuracy by training images a class: tau 0.06, mean of four drawn datasets, ± sd"
    figure.suptitle(title, fontsize=11)
    path.write_bytes(png(figure))


def forest(records: Sequence[Record], path: Path) -> None:
    """Paired differences in H of the README's six rows, with 95 % intervals."""
    figure, (axis,) = new_figure(7.2, 3.3)
    for number, (rule, title) in enumerate(RULES.items()):
        for row, pair in enumerate(PAIRS):
            if pair.ratio == 1 and rule == "steps":
                continue  # the same runs
            found = differences(records, pair, rule, "H")
            limits = interval(found)
            assert limits is not None
            y, mean = len(PAIRS) - row + 0.14 - 0.28 * number, float(np.mean(found))
            filled = COLOURS[number] if limits[0] > 0 or limits[1] < 0 else "white"
            axis.plot(limits, (y, y), color=COLOURS[number], linewidth=1.6)
            axis.plot(
                mean,
                y,
                MARKERS[number],
                color=COLOURS[number],
                markerfacecolor=filled,
                label=title if row == 0 else None,
            )
    axis.axvline(0, color="black", linewidth=0.9)
    labels = [f"{pair.label}, tau {pair.ratio:g}" for pair in PAIRS]
    axis.set_yticks(range(len(PAIRS), 0, -1), labels, fontsize=9)
    axis.set_xlabel("difference in H, points (mean of the datasets' H); hollow: holds 0")
    axis.legend(loc="lower right", frameon=False, fontsize=8.5)
    figure.suptitle("NPT minus its base trainer, paired by seed, 95 % intervals", fontsize=11)
    path.write_bytes(png(figure))


def draw(records: Sequence[Record]) -> None:
    """Both pictures, into ``docs/images``."""
    IMAGES.mkdir(exist_ok=True)
    frequency(records, IMAGES / "frequency.png")
    forest(records, IMAGES / "differences.png")
