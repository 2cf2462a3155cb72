"""Classify images with what a run learned; each file that is no image is named at its turn."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence

import torch

from npt_plugin.cli.help_format import WithDefaults, examples
from npt_plugin.datasets.folder_scan import is_taken
from npt_plugin.datasets.scanning import visible
from npt_plugin.errors import UserError
from npt_plugin.predictor import Predictor
from npt_plugin.system.exit_codes import OK, USER, exit_code
from npt_plugin.system.options import in_range

BATCH = 64
"""Images seen at a time."""


def parser() -> argparse.ArgumentParser:
    """Flags of ``npt predict``."""
    p = argparse.ArgumentParser(
        prog="npt predict",
        description=__doc__,
        epilog=examples(
            "npt predict output/try photo.jpg",
            'npt predict output/try photos --names "cat,dog,red panda"',
            note="Exit code 2 if a file is no image; the others are classified.",
        ),
        formatter_class=WithDefaults,
    )
    p.add_argument("run", help="output folder of a run")
    p.add_argument("images", nargs="+", help="image files, and folders of images")
    p.add_argument("--top-k", type=int, default=3, help="names shown per image")
    p.add_argument("--names", help="other class names, separated by commas; none: the run's own")
    p.add_argument("--calibrated", action="store_true", help="temperature from validation images")
    about = "runs of other seeds: the mean of what all have learned classifies"
    p.add_argument("--average", nargs="+", default=[], metavar="RUN", help=about)
    p.add_argument("--json", action="store_true", help="one JSON object a line")
    return p


def run(args: argparse.Namespace) -> int:
    """Print the most probable classes of each image."""
    in_range("--top-k", args.top_k, 1)
    images = image_files(args.images)
    names = None if args.names is None else [n.strip() for n in args.names.split(",") if n.strip()]
    predictor = Predictor.from_run(args.run, names, args.calibrated, average=args.average)
    code = OK
    for image, row in ranked(predictor, images, args.top_k):
        if isinstance(row, UserError):
            print(f"error: {row}", file=sys.stderr)
            code = USER
        elif args.json:
            print(json.dumps({"image": image, "top": [{"name": n, "p": p} for n, p in row]}))
        else:
            print(f"{image}: " + ", ".join(f"{name} {100 * p:.1f}%" for name, p in row))
    return code


def image_files(given: Sequence[str]) -> list[str]:
    """The files given; in a folder's place the images directly in it, by name.

    What else a folder holds is counted on stderr.

    Raises:
        UserError: If a folder holds no image.
    """
    files = []
    for path in given:
        if not os.path.isdir(path):
            files.append(path)
            continue
        names = sorted(visible(path))
        found = [os.path.join(path, name) for name in names if is_taken(name)]
        if not found:
            raise UserError(f"There is no image in the folder {path}: name image files.")
        if len(found) < len(names):
            print(f"{path}: {len(names) - len(found)} other entries left out", file=sys.stderr)
        files += found
    return files


def ranked(
    predictor: Predictor, images: Sequence[str], k: int
) -> Iterable[tuple[str, list[tuple[str, float]] | UserError]]:
    """Each image, in order, with its ``k`` most probable names, or with why it cannot be read."""
    for start in range(0, len(images), BATCH):
        part = images[start : start + BATCH]
        seen = [_seen(predictor, path) for path in part]
        good = [pixels for pixels in seen if isinstance(pixels, torch.Tensor)]
        rows = iter(predictor.top_k(torch.stack(good), k) if good else [])
        for path, pixels in zip(part, seen, strict=True):
            yield path, pixels if isinstance(pixels, UserError) else next(rows)


def _seen(predictor: Predictor, path: str) -> torch.Tensor | UserError:
    try:
        return predictor.preprocess(path)
    except UserError as error:
        return error


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    return exit_code(run, parser().parse_args(argv))
