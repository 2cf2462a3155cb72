"""The pictures there are: of one run, of all base-to-new runs below a folder, of the report."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from npt_plugin.backbone.loading import load_clip_of
from npt_plugin.errors import UserError
from npt_plugin.plots import (
    classes,
    collapse,
    curves,
    feature_map,
    geometry,
    open_world,
    seeds,
    shots,
    tail,
)
from npt_plugin.plots.style import new_figure, png
from npt_plugin.runs.folder import RunFolder
from npt_plugin.runs.predictions import Predictions
from npt_plugin.runs.record import Record
from npt_plugin.runs.units import Unit
from npt_plugin.trainers.named_text import text_features_of
from npt_plugin.trainers.zeroshot import template_of

if TYPE_CHECKING:  # matplotlib is optional
    from matplotlib.figure import Figure

RUN_PICTURES: dict[str, Callable[[RunFolder], Figure]] = {
    "training": lambda run: curves.training_curves(run.record),
    "nc": lambda run: curves.collapse_curves(run.record),
    "frequency": lambda run: classes.accuracy_by_frequency(run.record),
    "confusion": lambda run: classes.confusion_matrix(*_kept(run)),
    "reliability": lambda run: classes.reliability(*_kept(run)),
    "gram": lambda run: _gram(run),
    "pca": lambda run: feature_map.feature_map(*_kept(run)),
    "tsne": lambda run: feature_map.feature_map(*_kept(run), "tsne"),
}
"""Of one run."""

COMPARISONS: dict[str, tuple[Callable[[Sequence[Unit]], Figure], str]] = {
    "seeds": (
        seeds.every_seed,
        "H of every seed. The average is H of the average base and new accuracy.",
    ),
    "collapse": (
        collapse.accuracy_against_collapse,
        "New-class accuracy against neural-collapse metrics of the base classes; a point a run.",
    ),
    "head_and_tail": (
        tail.head_and_tail,
        "Base-class accuracy by training count, mean over datasets, sd over seeds.",
    ),
}
"""Of all base-to-new runs below a folder, with their captions."""

TOGETHER = {
    "new_images": (
        open_world.where_new_images_go,
        "New images taken for a base class, by the training images of that class.",
    )
}
"""The same, of runs that were tested with all names together."""

OF_PROTOCOLS: dict[str, dict[str, Callable[[Sequence[Unit]], Figure]]] = {
    "": {name: draw for name, (draw, _) in {**COMPARISONS, **TOGETHER}.items()},
    "few_shot_": {"few_shot_curves": shots.accuracy_over_shots},
    "long_tail_": {"long_tail_groups": tail.head_and_tail},
}
"""Of all runs of a protocol below a folder, by the prefix of its tables."""

_IN_REPORT = {
    "training": "Training",
    "frequency": "Accuracy by class, most frequent first",
    "gram": "Text features before and after, and their target",
}


def _kept(run: RunFolder) -> tuple[Predictions, Record]:
    return Predictions.load(run.path), run.record


def _gram(run: RunFolder) -> Figure:
    """Text features of the hand-written prompt come from CLIP, those learned from the run."""
    kept, cfg = Predictions.load(run.path), run.config()
    with contextlib.redirect_stdout(io.StringIO()):
        clip_model = load_clip_of(cfg).float()
        before = text_features_of(clip_model, kept.class_names, template_of(cfg))
    return geometry.text_gram(before, kept.text_features, kept.class_names, run.record)


def report_figures(units: Sequence[Unit], together: bool = False) -> list[tuple[bytes, str]]:
    """Pictures of the HTML report with captions: comparisons, and one trained run closer up.

    Args:
        units: Base-to-new units.
        together: Whether those of all names together are wanted.

    Returns:
        PNG files and their captions.

    Raises:
        UserError: If matplotlib is not installed.
    """
    new_figure()  # without matplotlib, this is what says so
    found = []
    wanted = {**COMPARISONS, **(TOGETHER if together else {})}
    for draw, caption in wanted.values():
        with contextlib.suppress(UserError):  # no run kept what it needs
            found.append((png(draw(units)), caption))
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
