"""``npt report FOLDER``: print and write the tables of the runs below a folder."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from npt_plugin.report.write import report
from npt_plugin.system.exit_codes import exit_code


def main(argv: Sequence[str] | None = None) -> int:
    """Print and write the report."""
    p = argparse.ArgumentParser(
        prog="npt report", description=__doc__, epilog="Example: npt report output/demo"
    )
    p.add_argument("folder", type=Path, help="the --output of the runs")
    p.add_argument("--no-plots", action="store_true", help="tables only")
    args = p.parse_args(argv)
    return exit_code(lambda: report(args.folder, plots=not args.no_plots) and None)
