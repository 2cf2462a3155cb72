"""Print and write the tables of the runs below a folder."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from npt_plugin.cli.help_format import WithDefaults, examples
from npt_plugin.report.write import report
from npt_plugin.system.exit_codes import exit_code

REFERENCE = "all others are compared with this one, seed by seed; none: NPT with its base alone"

OPEN_WORLD = "base-to-new runs also with all names together: joint accuracy, AUROC, OpenworldAUC"


def parser() -> argparse.ArgumentParser:
    """Flags of ``npt report``."""
    p = argparse.ArgumentParser(
        prog="npt report",
        description=__doc__,
        epilog=examples("npt report output/demo"),
        formatter_class=WithDefaults,
    )
    p.add_argument("folder", type=Path, help="the --output of the runs")
    p.add_argument("--no-plots", action="store_true", help="tables only")
    p.add_argument("--reference", default="", metavar="TRAINER", help=REFERENCE)
    p.add_argument("--open-world", action="store_true", help=OPEN_WORLD)
    return p


def run(args: argparse.Namespace) -> None:
    """Print and write the report."""
    report(
        args.folder, plots=not args.no_plots, reference=args.reference, open_world=args.open_world
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    return exit_code(run, parser().parse_args(argv))
