"""One picture: collapse of text-to-image features against accuracy, run by run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from evidence_tables import within
from study_records import Record

PANELS = (
    ("base_etf_distance_text_to_image", "new"),
    ("base_nc3_cosine", "new"),
    ("base_nc3_cosine", "H"),
    ("new_etf_distance_text_to_image", "new"),
    ("new_nc3_cosine", "new"),
)


def scatter(records: Sequence[Record], path: Path) -> None:
    """Write the picture, values centred as in the table of correlations."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, len(PANELS), figsize=(16, 3.4), constrained_layout=True)
    for axis, (x, y) in zip(axes, PANELS, strict=True):
        a, b, _ = within(records, x, y)
        axis.scatter(a, b, s=3, alpha=0.25, linewidths=0)
        slope, height = np.polyfit(a, b, 1)
        ends = np.array([a.min(), a.max()])
        axis.plot(ends, slope * ends + height, color="black", linewidth=1)
        half, name = x.split("_", 1)
        axis.set_xlabel(f"{name} of {half} classes".replace("_", " "), fontsize=9)
        axis.set_ylabel(f"{y} accuracy, %" if y != "H" else "H, %")
    figure.suptitle("Each run minus the mean of its dataset, ratio and rule", fontsize=10)
    figure.savefig(path, dpi=90)
    plt.close(figure)
