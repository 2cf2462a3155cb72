"""Few-shot benchmarks drawn on this machine.

``python -m npt_plugin.embedded.benchmarks --root DATA`` writes them;
``python -m npt_plugin.embedded.quality`` prints how the tiny CLIP does on them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from npt_plugin.embedded.specs import BENCHMARKS
from npt_plugin.embedded.writing import PER_CLASS, ensure_one
from npt_plugin.system.exit_codes import exit_code

__all__ = ["BENCHMARKS", "PER_CLASS", "ensure_benchmarks", "main"]


def ensure_benchmarks(
    root: str | Path, names: list[str] | None = None, per_class: tuple[int, int, int] = PER_CLASS
) -> None:
    """Write the benchmarks that are not on disk yet (see :mod:`npt_plugin.embedded.writing`).

    Args:
        root: Data root; each benchmark gets its own folder there.
        names: Which ones; default all.
        per_class: Pictures a class in train, val and test.

    Raises:
        UserError: For an unknown name, or a folder of that name that this package did not write.
    """
    for name in names or BENCHMARKS:
        ensure_one(Path(root), name, per_class)


def main(argv: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: Arguments; default ``sys.argv``.

    Returns:
        Exit code: 0, or 2 after a user error.
    """
    parser = argparse.ArgumentParser(
        prog="python -m npt_plugin.embedded.benchmarks", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--root", type=Path, required=True, help="write them under this folder")
    parser.add_argument("--names", nargs="*", help="only these benchmarks (default: all)")
    args = parser.parse_args(argv)
    return exit_code(ensure_benchmarks, args.root, args.names)


if __name__ == "__main__":
    sys.exit(main())
