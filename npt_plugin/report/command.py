"""``npt report FOLDER``: print and write the table of the runs below a folder."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from npt_plugin.errors import UserError
from npt_plugin.report.base2new import report


def main(argv: Sequence[str] | None = None) -> int:
    """Print and write the base-to-new table."""
    p = argparse.ArgumentParser(
        prog="npt report", description=__doc__, epilog="Example: npt report output/demo"
    )
    p.add_argument("folder", type=Path, help="the --output of the runs")
    args = p.parse_args(argv)
    try:
        report(args.folder)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0
