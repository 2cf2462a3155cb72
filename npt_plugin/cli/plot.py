"""Draw pictures of one run, or of all runs below a folder, as PNG and SVG."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from npt_plugin.cli.help_format import WithDefaults
from npt_plugin.errors import UserError
from npt_plugin.plots.pictures import COMPARISONS, RUN_PICTURES
from npt_plugin.plots.style import save
from npt_plugin.report.protocols import BASE_TO_NEW
from npt_plugin.runs.collect import find_runs
from npt_plugin.runs.folder import RunFolder
from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.units import Unit, group
from npt_plugin.system.exit_codes import exit_code


def parser() -> argparse.ArgumentParser:
    """Flags of ``npt plot``."""
    p = argparse.ArgumentParser(
        prog="npt plot",
        description=__doc__,
        epilog="Examples: npt plot output/try; npt plot output/demo --only seeds",
        formatter_class=WithDefaults,
    )
    p.add_argument("folder", type=Path, help="output folder of one run, or of many")
    p.add_argument("--output", type=Path, help="where to write; default: plots in the folder")
    names = ", ".join(RUN_PICTURES)
    more = ", ".join(COMPARISONS)
    p.add_argument("--only", nargs="+", help=f"of a run: {names}; of many: {more}; none: all")
    return p


def _units(folder: Path) -> list[Unit]:
    units, _ = group(find_runs(folder).completed, BASE_TO_NEW)
    if not units:
        raise UserError(
            f"{folder} holds no completed base-to-new runs to compare; for pictures of one run "
            "give its own folder."
        )
    return units


def run(args: argparse.Namespace) -> None:
    """Draw, and name the files."""
    one = (args.folder / RESULTS).is_file()
    known = RUN_PICTURES if one else COMPARISONS
    wanted = args.only or list(known)
    for name in wanted:
        if name not in known:
            kind = "a run" if one else "a folder of runs"
            raise UserError(f"There is no picture {name!r} of {kind}; known: {', '.join(known)}.")
    source: Any = RunFolder.open(args.folder) if one else _units(args.folder)
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
    return exit_code(run, parser().parse_args(argv))
