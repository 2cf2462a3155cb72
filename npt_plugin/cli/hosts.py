"""Say what NPT will do in a checkout of a Dassl project, for each of its trainers.

The modules that its train.py imports are imported, in a process of their own; nothing is trained.
What is said about a trainer is read in its source; no run is tried. With --run, a miniature proof
follows for each trainer that NPT wraps, on drawn pictures and a small CLIP.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from tabulate import tabulate

from npt_plugin.cli.help_format import WithDefaults, examples
from npt_plugin.errors import UserError, nearest_hint
from npt_plugin.hosts.check import TIME_LIMIT, TRIAL_LIMIT, look_at, try_out
from npt_plugin.hosts.checkout import find_script
from npt_plugin.hosts.description import EITHER, UNSEEN, WRAPPED
from npt_plugin.hosts.probe import Findings
from npt_plugin.hosts.trial import HOLDS
from npt_plugin.system.exit_codes import FAILED, OK, exit_code
from npt_plugin.system.options import in_range


def parser() -> argparse.ArgumentParser:
    """Flags of ``npt hosts``."""
    p = argparse.ArgumentParser(
        prog="npt hosts",
        description=__doc__,
        epilog=examples(
            "npt hosts check ../PromptSRC",
            "npt hosts check ../PromptSRC --run --trainer PromptSRC",
            "npt hosts check ../MMRL --run --words TASK B2N",
        ),
        formatter_class=WithDefaults,
    )
    p.add_argument("action", choices=("check",), help="what to do")
    p.add_argument("path", help="the checkout, or its train.py")
    p.add_argument("--trainer", default="", help="this one only; empty: all it registers")
    p.add_argument("--run", action="store_true", help="then a miniature proof for each trainer")
    p.add_argument("--time-limit", type=float, default=TIME_LIMIT, help="seconds a look may take")
    p.add_argument(
        "--run-limit", type=float, default=TRIAL_LIMIT, help="seconds a trainer's proof may take"
    )
    p.add_argument(
        "--words",
        nargs=argparse.REMAINDER,
        default=[],
        help="with --run, and last: more arguments for its train.py",
    )
    return p


def run(args: argparse.Namespace) -> int:
    """Print what was found; 1 if something will not work."""
    in_range("--time-limit", args.time_limit, 1)
    in_range("--run-limit", args.run_limit, 1)
    if args.words and not args.run:
        raise UserError("--words gives arguments to the project's train.py, so it needs --run.")
    script = find_script(args.path)
    found = look_at(script, args.time_limit)
    if args.trainer and not found.error:
        found.trainers = [row for row in found.trainers if row[0] == _chosen(args.trainer, found)]
    print(_about_project(script, found))
    if found.trainers:
        print()
        print(_about_trainers(found))
    bad = found.error or not found.trainers or any(row[1] == UNSEEN for row in found.trainers)
    held = _run_all(script, found, args) if args.run and not found.error else True
    return FAILED if bad or not held else OK


def _run_all(script: Path, found: Findings, args: argparse.Namespace) -> bool:
    """Print a line for each trainer that NPT wraps, as soon as it is known; whether all hold."""
    names = [name for name, what, _ in found.trainers if what in (WRAPPED, EITHER)]
    print("\nproof" if names else "\nproof: none of these trainers is wrapped", flush=True)
    held = True
    for name in names:
        trial = try_out(script, name, args.words, args.run_limit)
        print(f"{name}: {trial.verdict}: {trial.said}", flush=True)
        held = held and trial.verdict == HOLDS
    return held


def _chosen(wanted: str, found: Findings) -> str:
    name = wanted.removeprefix("NPT_").removeprefix("NPT-")
    names = [row[0] for row in found.trainers]
    if name not in names:
        raise UserError(
            f"This project registers no trainer {name!r}{nearest_hint(name, names)}; it has "
            f"{', '.join(names) or 'none'}."
        )
    return name


def _about_project(script: Path, found: Findings) -> str:
    rows = [
        ("script", str(script)),
        ("Dassl", f"{found.dassl}, {found.whose}" if found.dassl else "not reached"),
        ("repairs", "; ".join(found.repairs) or "none needed"),
        ("watch", "; ".join(found.notes)),
        ("PROBLEM", found.error),
        ("trainers", "" if found.trainers else "none"),
    ]
    return tabulate([r for r in rows if r[1]], tablefmt="plain", maxcolwidths=[None, 110])


def _about_trainers(found: Findings) -> str:
    rows = [(name, what, "; ".join(watch)) for name, what, watch in found.trainers]
    head = ("trainer", "NPT_ variant", "watch")
    return tabulate(rows, head, tablefmt="plain", maxcolwidths=[None, None, 72])


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    return exit_code(run, parser().parse_args(argv))
