"""Predictions and units without a run, and a look at what was drawn."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from run_records import record

from npt_plugin.runs.collect import Run
from npt_plugin.runs.predictions import Predictions
from npt_plugin.runs.units import Key, Unit

pytest.importorskip("matplotlib")


@pytest.fixture
def kept():
    """``kept(logits, labels)``: predictions with random features."""

    def make(logits, labels):
        torch.manual_seed(0)
        k = logits.shape[1]
        features = torch.nn.functional.normalize(torch.randn(len(labels), 8), dim=1)
        names = [f"class_{i}" for i in range(k)]
        return Predictions(logits, labels, features, torch.eye(k, 8), names)

    return make


@pytest.fixture
def unit():
    """``unit("CoOp", seed, base, new)``: a base-to-new unit."""

    def make(trainer, seed, base, new, dataset="pets", ratio=0.06, **metrics):
        halves = {"base": {"accuracy": base, **metrics}, "new": {"accuracy": new}}
        runs = {part: Run(Path(part), record(metrics=found)) for part, found in halves.items()}
        return Unit(Key(ratio, dataset, trainer, "cfg"), seed, runs)

    return make


@pytest.fixture
def overlapping():
    """``overlapping(figure)``: pairs of tick labels of one axis that cover each other."""

    def look(figure):
        figure.canvas.draw()
        found = []
        for axes in figure.axes:
            for axis, side in ((axes.xaxis, 0), (axes.yaxis, 1)):
                texts = [t for t in axis.get_ticklabels() if t.get_text() and t.get_visible()]
                if any(t.get_rotation() % 180 for t in texts):
                    continue  # slanted labels have boxes that overlap though the words do not
                boxes = sorted((t.get_window_extent() for t in texts), key=lambda b: b.p0[side])
                pairs = zip(boxes, boxes[1:], strict=False)
                found += [1 for a, b in pairs if a.p1[side] > b.p0[side] + 1]
        return found

    return look
