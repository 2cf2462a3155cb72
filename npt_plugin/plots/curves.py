"""What changed from epoch to epoch: loss terms, training accuracy, neural-collapse metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from npt_plugin.errors import UserError
from npt_plugin.plots.style import colour, marker, new_figure
from npt_plugin.plots.titles import heading, of_run
from npt_plugin.runs.record import Record

if TYPE_CHECKING:  # matplotlib is optional
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NOT_TERMS = ("epoch", "lr", "acc", "nc", "loss")
_SHOWN = (
    ("nc1_image", "NC1: image variability"),
    ("etf_distance_text", "NC2: text to ETF"),
    ("nc3_distance", "NC3: text to image means"),
    ("nc4_agreement", "NC4: nearest-mean agreement"),
)


def training_curves(record: Record) -> Figure:
    """Loss terms on the left, training accuracy and learning rate on the right.

    Raises:
        UserError: If the record holds no epochs (zero-shot CLIP, or an evaluation).
    """
    history = _history(record)
    epochs = [entry["epoch"] for entry in history]
    figure, (left, right) = new_figure(8.4, 4.0, columns=2)
    terms = [name for name in history[-1] if name not in _NOT_TERMS]
    for number, name in enumerate(["loss", *terms]):
        values = [entry.get(name) for entry in history]
        style = "-" if name == "loss" else ("--", "-.", ":")[(number - 1) % 3]
        left.plot(epochs, values, style, color=colour(number), label=name, linewidth=1.8)
    left.set(xlabel="epoch", ylabel="loss (epoch mean)")
    _legend_above(left)
    accuracy = [entry.get("acc") for entry in history]
    (one,) = right.plot(epochs, accuracy, color=colour(0), label="accuracy (left axis)")
    right.set(xlabel="epoch", ylabel="training accuracy (%)")
    rate = right.twinx()
    (two,) = rate.plot(
        epochs, [entry["lr"] for entry in history], "--", color=colour(1), label="rate (right axis)"
    )
    rate.set_ylabel("learning rate")
    rate.spines["top"].set_visible(False)
    rate.ticklabel_format(axis="y", style="sci", scilimits=(-3, 3))
    _legend_above(right, [one, two])
    heading(figure, "Training, epoch by epoch", of_run(record))
    return figure


def collapse_curves(record: Record) -> Figure:
    """NC1 to NC4 over the epochs, one panel each.

    Raises:
        UserError: If the run did not keep them.
    """
    history = [entry for entry in record.history or [] if entry.get("nc")]
    if not history:
        raise UserError("This run kept no NC metrics: train with TEST.NC_PER_EPOCH 1.")
    epochs = [entry["epoch"] for entry in history]
    figure, axes = new_figure(11.0, 3.4, columns=len(_SHOWN))
    for number, (axis, (key, label)) in enumerate(zip(axes, _SHOWN, strict=True)):
        values = [entry["nc"].get(key) for entry in history]
        shape = marker(number) if len(epochs) < 30 else ""
        axis.plot(epochs, values, color=colour(number), marker=shape, markersize=4)
        axis.set_title(label, fontsize=9)
        axis.set_xlabel("epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.ticklabel_format(axis="y", useOffset=False)
    heading(figure, "Neural collapse on the test images, epoch by epoch", of_run(record))
    return figure


def _history(record: Record) -> list[dict[str, Any]]:
    history = record.history or []
    if not history:
        raise UserError("This run has no training epochs to draw.")
    return history


def _legend_above(axis: Axes, handles: Sequence[Any] | None = None) -> None:
    """Above the axes, since curves may go anywhere in them."""
    found = handles or axis.get_legend_handles_labels()[0]
    look: dict[str, Any] = {"frameon": False, "fontsize": 8, "borderaxespad": 0.2}
    axis.legend(handles=found, loc="lower left", bbox_to_anchor=(0, 1), ncols=4, **look)
