"""The pictures there are: of one run, of all base-to-new runs below a folder, of the report."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from npt_plugin.backbone.loading import load_clip_of
from npt_plugin.errors import UserError
from npt_plugin.plots import classes, comparison, curves, geometry
from npt_plugin.plots.style import png
from npt_plugin.runs.folder import RunFolder
from npt_plugin.runs.predictions import Predictions
from npt_plugin.runs.units import Unit
from npt_plugin.trainers.zeroshot import template_of, text_features_of

if TYPE_CHECKING:  # matplotlib is optional
    from matplotlib.figure import Figure

RUN_PICTURES: dict[str, Callable[[RunFolder], Figure]] = {
    "training": lambda run: curves.training_curves(run.record),
    "nc": lambda run: curves.collapse_curves(run.record),
    "frequency": lambda run: classes.accuracy_by_frequency(run.record),
    "confusion": lambda run: classes.confusion_matrix(Predictions.load(run.path)),
    "reliability": lambda run: classes.reliability(Predictions.load(run.path)),
    "gram": lambda run: _gram(run),
    "pca": lambda run: geometry.feature_map(Predictions.load(run.path)),
    "tsne": lambda run: geometry.feature_map(Predictions.load(run.path), "tsne"),
}
"""Of one run."""

COMPARISONS: dict[str, tuple[Callable[[Sequence[Unit]], Figure], str]] = {
    "seeds": (comparison.every_seed, "H of every seed."),
    "collapse": (
        comparison.accuracy_against_collapse,
        "New-class accuracy against neural-collapse metrics of the base classes; a point a run.",
    ),
    "head_and_tail": (
        comparison.head_and_tail,
        "Base-class accuracy by training count, mean over datasets and seeds.",
    ),
}
"""Of all runs below a folder, with their captions."""

_IN_REPORT = {
    "training": "Training",
    "frequency": "Accuracy by class, most frequent first",
    "gram": "Text features before and after, and their target",
}


def _gram(run: RunFolder) -> Figure:
    """Text features of the hand-written prompt come from CLIP, those learned from the run."""
    kept, cfg = Predictions.load(run.path), run.config()
    with contextlib.redirect_stdout(io.StringIO()):
        clip_model = load_clip_of(cfg).float()
        before = text_features_of(clip_model, kept.class_names, template_of(cfg))
    return geometry.text_gram(before, kept.text_features, kept.class_names)


def report_figures(units: Sequence[Unit]) -> list[tuple[bytes, str]]:
    """Pictures of the HTML report with captions: comparisons, and one trained run closer up.

    Args:
        units: Base-to-new units.

    Returns:
        PNG files and their captions.

    Raises:
        UserError: If matplotlib is not installed.
    """
    found = [(png(draw(units)), caption) for draw, caption in COMPARISONS.values()]
    trained = [unit for unit in units if unit.runs["base"].record.history]
    if trained:
        unit = max(trained, key=lambda u: (u.key.trainer.startswith("NPT_"), -u.seed))
        base, key = unit.runs["base"], unit.key
        run = RunFolder(base.folder, base.record)
        about = f"{key.trainer}, {key.dataset}, tau {key.ratio:g}, seed {unit.seed}"
        for name, caption in _IN_REPORT.items():
            with contextlib.suppress(UserError):  # this run did not keep what it needs
                found.append((png(RUN_PICTURES[name](run)), f"{caption}: {about}."))
    return found
