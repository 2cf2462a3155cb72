"""Accuracy class by class: by training images, by what is taken for what, and by confidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from npt_plugin.errors import UserError
from npt_plugin.evaluation.groups import GROUPS
from npt_plugin.evaluation.metrics import ECE_BINS, expected_calibration_error
from npt_plugin.plots.style import COLOURS, colour, legend_below, marker, new_figure, short
from npt_plugin.plots.titles import heading, of_run
from npt_plugin.runs.predictions import Predictions
from npt_plugin.runs.record import Record

if TYPE_CHECKING:  # matplotlib is optional
    from matplotlib.figure import Figure

_MOST_NAMES = 40
_ENOUGH = 10
"""Images from which a bin is drawn in full; of fewer, its standard error may be above 0.15."""


def accuracy_by_frequency(record: Record) -> Figure:
    """One bar a class, from the most frequent to the rarest, and a line of the training images.

    Args:
        record: Of a completed run.

    Raises:
        UserError: If the record holds no accuracy by class.
    """
    classes = [c for c in record.per_class or [] if c["accuracy"] is not None]
    if not classes:
        raise UserError("This run has no accuracy by class to draw.")
    classes.sort(key=lambda c: -c["train"])
    figure, (axis,) = new_figure(max(7.2, 0.28 * min(len(classes), _MOST_NAMES) + 2.4), 4.4)
    limits = _limits(record)
    for number, group in enumerate(GROUPS):
        places = [i for i, c in enumerate(classes) if c["group"] == group]
        heights = [classes[i]["accuracy"] for i in places]
        if places:
            mean = sum(heights) / len(heights)
            label = f"{group}-shot{limits.get(group, '')}: mean {mean:.1f}%"
            axis.bar(places, heights, color=colour(number), label=label, width=0.8)
    counts = axis.twinx()
    counts.plot([c["train"] for c in classes], color="black", marker=".", linewidth=1)
    counts.set(ylabel="training images (line)", ylim=(0, None))
    counts.locator_params(axis="y", integer=True)
    counts.spines["top"].set_visible(False)
    axis.set(ylabel="accuracy (%)", ylim=(0, 100), xlim=(-0.7, len(classes) - 0.3))
    if len(classes) <= _MOST_NAMES:
        names = short([c["name"] for c in classes])
        axis.set_xticks(
            range(len(classes)), names, rotation=60, ha="right", fontsize=8, rotation_mode="anchor"
        )
    else:
        axis.set_xlabel("classes, most frequent first")
    axis.grid(axis="x", visible=False)
    legend_below(figure, axis)
    heading(figure, "Accuracy by class, most frequent first", of_run(record))
    return figure


def _limits(record: Record) -> dict[str, str]:
    """How many training images make a group; nothing in records that do not say."""
    if record.thresholds is None:
        return {}
    many, few = record.thresholds["many_above"], record.thresholds["few_below"]
    return {"many": f" (> {many:g} images)", "few": f" (< {few:g} images)"}


def confusion_matrix(kept: Predictions, record: Record) -> Figure:
    """Share (%) of each true class (row) that was taken for each class (column)."""
    k = len(kept.class_names)
    pairs = kept.labels * k + kept.logits.argmax(dim=1)  # (N,)
    counts = torch.bincount(pairs, minlength=k * k).view(k, k).double()
    share = 100 * counts / counts.sum(dim=1, keepdim=True).clamp(min=1)  # (K, K)
    side = min(12.0, max(5.0, 0.3 * k + 2))
    figure, (axis,) = new_figure(side, side * 0.9)
    image = axis.imshow(share.numpy(), cmap="cividis", vmin=0, vmax=100)
    axis.grid(visible=False)
    if k <= _MOST_NAMES:
        names = short(kept.class_names)
        axis.set_xticks(
            range(k), names, rotation=60, ha="right", fontsize=8, rotation_mode="anchor"
        )
        axis.set_yticks(range(k), names, fontsize=8)
    if k <= 20:
        for i in range(k):
            for j in range(k):
                if share[i, j] >= 1:
                    tone = "white" if share[i, j] < 55 else "black"
                    axis.text(
                        j, i, f"{share[i, j]:.0f}", ha="center", va="center", color=tone, fontsize=7
                    )
    axis.set(xlabel="predicted", ylabel="true")
    figure.colorbar(image, ax=axis, shrink=0.8, label="% of the true class")
    heading(figure, "Confusion: share of each true class (row)", of_run(record))
    return figure


def reliability(kept: Predictions, record: Record) -> Figure:
    """Accuracy against confidence in ``ECE_BINS`` bins, and how many images are in each."""
    confidence, predicted = kept.logits.double().softmax(dim=1).max(dim=1)  # (N,)
    right = (predicted == kept.labels).double()
    bins = (confidence * ECE_BINS).ceil().long().clamp(1, ECE_BINS) - 1
    figure, (axis, below) = new_figure(8.4, 4.4, columns=2)
    filled = [b for b in range(ECE_BINS) if bool((bins == b).any())]
    centres = [(b + 0.5) / ECE_BINS for b in range(ECE_BINS)]
    width = 0.9 / ECE_BINS
    counts = torch.bincount(bins, minlength=ECE_BINS)
    heights = {b: float(right[bins == b].mean()) for b in filled}
    few = [b for b in filled if counts[b] < _ENOUGH]
    pale = {"facecolor": "white", "edgecolor": colour(5), "hatch": "////"}
    for name, chosen, look in (
        ("accuracy", [b for b in filled if b not in few], {"color": colour(5)}),
        (f"accuracy of fewer than {_ENOUGH} images", few, pale),
    ):
        if chosen:
            at = [centres[b] for b in chosen]
            axis.bar(at, [heights[b] for b in chosen], width, label=name, **look)
    axis.plot([0, 1], [0, 1], "--", color="black", linewidth=1, label="perfectly calibrated")
    means = [float(confidence[bins == b].mean()) for b in filled]
    axis.plot(
        means, list(heights.values()), marker(0), color=COLOURS[1], markersize=5, label="bin means"
    )
    ece = expected_calibration_error(kept.logits, kept.labels)
    axis.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1.02))
    axis.set_title(f"expected calibration error {ece:.1f}%", fontsize=10)
    legend_below(figure, axis)
    below.bar(centres, counts.tolist(), width, color=colour(0))
    below.set(xlabel="confidence", ylabel="images", xlim=(0, 1))
    heading(figure, "Reliability: accuracy against confidence", of_run(record))
    return figure
