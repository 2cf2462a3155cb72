"""Get a published run, from a folder or a model hub, as a run of one's own."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from npt_plugin.cli.help_format import WithDefaults, examples
from npt_plugin.registration import register_all
from npt_plugin.sharing.pull import pull
from npt_plugin.system.exit_codes import exit_code


def parser() -> argparse.ArgumentParser:
    """Flags of ``npt pull``."""
    p = argparse.ArgumentParser(
        prog="npt pull",
        description=__doc__,
        epilog=examples("npt pull hf:someone/npt-coop-pets output/theirs"),
        formatter_class=WithDefaults,
    )
    p.add_argument("source", help="folder that npt publish wrote, or hf:ORG/NAME[@REVISION]")
    p.add_argument("output", help="folder of the run; new or empty")
    return p


def run(args: argparse.Namespace) -> None:
    """Get it and say what can be done with it."""
    register_all(base=True)
    folder = pull(args.source, args.output)
    print(f"{folder} is a run: npt predict {folder} IMAGE..., npt eval --run {folder} --root DATA")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    return exit_code(run, parser().parse_args(argv))
