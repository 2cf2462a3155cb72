"""The picture of ``logit_scales.py``: gains over CoOp against the logit scale."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from logit_scales import METHODS, SCALES, clips, gains
from scaled_clip import KINDS
from study_records import Record

from npt_plugin.evaluation.averages import interval
from npt_plugin.plots.style import COLOURS, MARKERS, new_figure, png

LABELS = ("both weights 10", "both weights 10 x scale / 17.5")


def draw(records: Sequence[Record], path: Path) -> None:
    """One panel a kind of CLIP; bars are 95 % intervals over the seeds."""
    kinds = [kind for kind in KINDS if any(r["kind"] == kind for r in records)]
    figure, axes = new_figure(4.6 * len(kinds), 3.4, columns=len(kinds))
    for axis, kind in zip(axes, kinds, strict=True):
        for number, (method, label) in enumerate(zip(METHODS[1:], LABELS, strict=True)):
            found = {s: gains(records, k, s, method, "H") for k, s in clips([kind], SCALES)}
            scales = sorted(scale for scale, values in found.items() if values)
            means = np.array([np.mean(found[scale]) for scale in scales])
            limits = [interval(found[s]) or (m, m) for s, m in zip(scales, means, strict=True)]
            axis.errorbar(
                np.array(scales) * (1.03 if number else 0.97),
                means,
                yerr=np.abs(np.array(limits).T - means),
                fmt=f"{MARKERS[number]}-",
                color=COLOURS[number],
                capsize=3,
                label=label,
            )
        axis.axhline(0, color="0.5", linewidth=0.8)
        axis.set_xscale("log")
        axis.set_xticks(SCALES, [f"{scale:g}" for scale in SCALES])
        axis.minorticks_off()
        axis.set_xlabel("logit scale")
        axis.set_title(f"embedded CLIP, {kind} to the scale", fontsize=10)
    axes[0].set_ylabel("H of NPT_CoOp minus CoOp's")
    axes[-1].legend(frameon=False, fontsize=8)
    path.write_bytes(png(figure))
