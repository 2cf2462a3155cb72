"""Draw pictures of one run, or of all runs below a folder, as PNG and SVG."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from npt_plugin.cli.help_format import WithDefaults, examples
from npt_plugin.errors import UserError
from npt_plugin.plots.pictures import OF_PROTOCOLS, RUN_PICTURES
from npt_plugin.plots.style import new_figure, save
from npt_plugin.report.protocols import TABLES
from npt_plugin.report.reference import with_reference
from npt_plugin.runs.collect import find_runs
from npt_plugin.runs.folder import RunFolder
from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.units import group
from npt_plugin.system.exit_codes import exit_code

if TYPE_CHECKING:  # matplotlib is optional
    from matplotlib.figure import Figure


def parser() -> argparse.ArgumentParser:
    """Flags of ``npt plot``."""
    p = argparse.ArgumentParser(
        prog="npt plot",
        description=__doc__,
        epilog=examples("npt plot output/try", "npt plot output/demo --only seeds"),
        formatter_class=WithDefaults,
    )
    p.add_argument("folder", type=Path, help="output folder of one run, or of many")
    p.add_argument("--output", type=Path, help="where to write; default: plots in the folder")
    names = ", ".join(RUN_PICTURES)
    more = ", ".join(name for known in OF_PROTOCOLS.values() for name in known)
    p.add_argument("--only", nargs="+", help=f"of a run: {names}; of many: {more}; none: all")
    return p


Drawing = Callable[[], "Figure"]


def _of_many(folder: Path) -> dict[str, Drawing]:
    """Pictures of the protocols that were run below a folder."""
    completed = find_runs(folder).completed
    known: dict[str, Drawing] = {}
    for table in TABLES:
        pictures = OF_PROTOCOLS.get(table.prefix, {})
        units = table.settled(with_reference(group(completed, table)[0])) if pictures else []
        known |= {name: partial(draw, units) for name, draw in pictures.items() if units}
    if not known:
        raise UserError(
            f"{folder} holds no completed base-to-new, few-shot or long-tail runs to compare; for "
            "pictures of one run give its own folder."
        )
    return known


def _of_one(folder: Path) -> dict[str, Drawing]:
    run = RunFolder.open(folder)
    return {name: partial(draw, run) for name, draw in RUN_PICTURES.items()}


def run(args: argparse.Namespace) -> None:
    """Draw, and name the files."""
    one = (args.folder / RESULTS).is_file()
    known = _of_one(args.folder) if one else _of_many(args.folder)
    wanted = args.only or list(known)
    for name in wanted:
        if name not in known:
            kind = "this run" if one else "these runs"
            raise UserError(f"There is no picture {name!r} of {kind}; known: {', '.join(known)}.")
    output = args.output or args.folder / "plots"
    new_figure()  # without matplotlib one sentence, not one for each picture
    for name in wanted:
        try:
            figure = known[name]()
        except UserError as error:
            if args.only:
                raise
            print(f"{name}: left out. {error}")
            continue
        print(", ".join(str(path) for path in save(figure, output, name)))


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    return exit_code(run, parser().parse_args(argv))
