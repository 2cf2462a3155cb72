"""``npt predict RUN IMAGE...``: classify images with what a run learned."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from npt_plugin.predictor import Predictor
from npt_plugin.system.exit_codes import exit_code


def parser() -> argparse.ArgumentParser:
    """Flags of ``npt predict``."""
    p = argparse.ArgumentParser(
        prog="npt predict",
        description=__doc__,
        epilog='Example: npt predict output/try photo.jpg --names "cat,dog,red panda"',
    )
    p.add_argument("run", help="output folder of a run")
    p.add_argument("images", nargs="+", help="image files")
    p.add_argument("--top-k", type=int, default=3, help="names shown per image")
    p.add_argument("--names", default="", help="other class names, separated by commas")
    p.add_argument("--calibrated", action="store_true", help="temperature from validation images")
    p.add_argument("--json", action="store_true", help="one JSON object a line")
    return p


def run(args: argparse.Namespace) -> None:
    """Print the most probable classes of each image."""
    names = [n.strip() for n in args.names.split(",") if n.strip()] if args.names else None
    predictor = Predictor.from_run(args.run, names, args.calibrated)
    ranked = predictor.top_k(args.images, max(1, args.top_k))
    for image, row in zip(args.images, ranked, strict=True):
        if args.json:
            print(json.dumps({"image": image, "top": [{"name": n, "p": p} for n, p in row]}))
        else:
            print(f"{image}: " + ", ".join(f"{name} {100 * p:.1f}%" for name, p in row))


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    return exit_code(run, parser().parse_args(argv))
