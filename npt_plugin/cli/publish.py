"""Write a run as a folder that others can use, ready for a model hub."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from npt_plugin.cli.help_format import WithDefaults, examples
from npt_plugin.registration import register_all
from npt_plugin.sharing.hub import upload
from npt_plugin.sharing.publish import publish
from npt_plugin.system.exit_codes import exit_code


def parser() -> argparse.ArgumentParser:
    """Flags of ``npt publish``."""
    p = argparse.ArgumentParser(
        prog="npt publish",
        description=__doc__,
        epilog=examples("npt publish output/try shared/try --licence cc-by-4.0"),
        formatter_class=WithDefaults,
    )
    p.add_argument("run", help="output folder of a run that was trained")
    p.add_argument("folder", type=Path, help="folder to write")
    p.add_argument("--licence", default="mit", help="of the learned tensors, by the hub's name")
    p.add_argument("--push", default="", metavar="ORG/NAME", help="also upload it, private")
    return p


def run(args: argparse.Namespace) -> None:
    """Write the folder, and upload it where that is asked for."""
    register_all(base=True)
    for path in publish(args.run, args.folder, args.licence):
        print(f"{path}  {path.stat().st_size / 1024:,.1f} KiB")
    if args.push:
        print(upload(args.folder, args.push))
    else:
        print(f"Use it: npt pull {args.folder} MY_RUN")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    return exit_code(run, parser().parse_args(argv))
