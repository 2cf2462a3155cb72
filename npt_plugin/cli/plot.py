"""``npt plot FOLDER``: pictures of one run, or of all runs below a folder, as PNG and SVG."""

from __future__ import annotations

import argparse
import contextlib
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from npt_plugin.backbone.loading import load_clip
from npt_plugin.errors import UserError
from npt_plugin.plots import classes, comparison, curves, geometry
from npt_plugin.plots.style import png, save
from npt_plugin.report.runs import Pair, find_pairs
from npt_plugin.runs.folder import RunFolder
from npt_plugin.runs.predictions import Predictions
from npt_plugin.runs.record import RESULTS
from npt_plugin.system.exit_codes import exit_code
from npt_plugin.trainers.zeroshot import template_of, text_features_of

RUN_PICTURES: dict[str, Callable[[RunFolder], Any]] = {
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

COMPARISONS: dict[str, tuple[Callable[[Sequence[Pair]], Any], str]] = {
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


def _gram(run: RunFolder) -> Any:
    """Text features of the hand-written prompt come from CLIP, those learned from the run."""
    kept, cfg = Predictions.load(run.path), run.config()
    with contextlib.redirect_stdout(io.StringIO()):
        clip_model = load_clip(cfg.MODEL.BACKBONE.NAME, cfg.MODEL.CLIP_WEIGHTS).float()
        before = text_features_of(clip_model, kept.class_names, template_of(cfg))
    return geometry.text_gram(before, kept.text_features, kept.class_names)


def report_figures(pairs: Sequence[Pair]) -> list[tuple[bytes, str]]:
    """Pictures of the HTML report with captions: comparisons, and one trained run closer up.

    Raises:
        UserError: If matplotlib is not installed.
    """
    found = [(png(draw(pairs)), caption) for draw, caption in COMPARISONS.values()]
    trained = [p for p in pairs if p.base.get("history")]
    if trained:
        pair = max(trained, key=lambda p: (p.key.trainer.startswith("NPT_"), -p.seed))
        run, key = RunFolder(pair.folder, pair.base), pair.key
        about = f"{key.trainer}, {key.dataset}, tau {key.ratio:g}, seed {pair.seed}"
        for name, caption in _IN_REPORT.items():
            with contextlib.suppress(UserError):  # this run did not keep what it needs
                found.append((png(RUN_PICTURES[name](run)), f"{caption}: {about}."))
    return found


def run(args: argparse.Namespace) -> None:
    """Draw, and name the files."""
    one = (args.folder / RESULTS).is_file()
    known = RUN_PICTURES if one else COMPARISONS
    wanted = args.only or list(known)
    for name in wanted:
        if name not in known:
            kind = "a run" if one else "a folder of runs"
            raise UserError(f"There is no picture {name!r} of {kind}; known: {', '.join(known)}.")
    source: Any = RunFolder.open(args.folder) if one else find_pairs(args.folder)
    output = args.output or args.folder / "plots"
    for name in wanted:
        try:
            figure = RUN_PICTURES[name](source) if one else COMPARISONS[name][0](source)
        except UserError as error:
            if args.only:
                raise
            print(f"{name}: left out. {error}")
            continue
        print(", ".join(str(path) for path in save(figure, output, name)))


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    p = argparse.ArgumentParser(
        prog="npt plot",
        description=__doc__,
        epilog="Examples: npt plot output/try    npt plot output/demo --only seeds",
    )
    p.add_argument("folder", type=Path, help="output folder of one run, or of many")
    p.add_argument("--output", type=Path, help="where to write; default: plots in the folder")
    names = ", ".join(RUN_PICTURES)
    more = ", ".join(COMPARISONS)
    p.add_argument("--only", nargs="+", help=f"of a run: {names}; of many: {more}")
    return exit_code(run, p.parse_args(argv))
