"""List, check, download, verify and describe datasets."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from tabulate import tabulate

from npt_plugin.cli.data_download import add_download_flags, download, entry_named
from npt_plugin.cli.data_verify import check, data_cfg, report
from npt_plugin.cli.help_format import WithDefaults, examples
from npt_plugin.cli.overrides import describe_overrides, parse_with_overrides
from npt_plugin.datasets.archives import Entry
from npt_plugin.datasets.catalogue import CATALOGUE
from npt_plugin.datasets.class_counts import describe
from npt_plugin.datasets.download import manual_text, missing
from npt_plugin.datasets.names import PREFIX, dataset_name, reader
from npt_plugin.datasets.prompt_templates import template_for
from npt_plugin.errors import UserError
from npt_plugin.system.exit_codes import exit_code

ACTIONS = {
    "list": "show all datasets: size, licence note, how they are got",
    "status": "show what is there, against what is expected",
    "download": "fetch, check and unpack datasets; continues what was cut off",
    "verify": "compare sizes with the published split, find missing and broken images; exit code 1 "
    "if anything is wrong",
    "describe": "show the class histogram of what a run would train on",
}
TAKES_OVERRIDES = ("verify", "describe")


def parser() -> argparse.ArgumentParser:
    """The sub-commands of ``npt data``."""
    p = argparse.ArgumentParser(
        prog="npt data",
        description=__doc__,
        epilog=examples("npt data status --root /data", "npt data verify oxford_pets --root /data"),
        formatter_class=WithDefaults,
    )
    actions = p.add_subparsers(dest="action", required=True, metavar="ACTION")
    parts = {
        name: actions.add_parser(name, help=about, description=about, formatter_class=WithDefaults)
        for name, about in ACTIONS.items()
    }
    parts["status"].add_argument("name", nargs="?", help="one dataset; none: all of them")
    for name in ("verify", "describe"):
        parts[name].add_argument("name", help="dataset, in any spelling")
    add_download_flags(parts["download"])
    for name in ("status", "download", "verify", "describe"):
        root = os.environ.get("DATA", "data")
        parts[name].add_argument("--root", default=root, help="DATASET.ROOT; $DATA where it is set")
    parts["verify"].add_argument("--fast", action="store_true", help="do not decode the images")
    parts["verify"].add_argument("--all", action="store_true", help="list every case")
    for name in TAKES_OVERRIDES:
        describe_overrides(parts[name])
    return p


def run(args: argparse.Namespace) -> int:
    """Do what the parsed arguments say.

    Returns:
        Exit code: 0, or 1 if something is missing or broken.

    Raises:
        UserError: unknown names, failed downloads, unreadable data.
    """
    if args.opts and args.action not in TAKES_OVERRIDES:
        raise UserError(f"npt data {args.action} does not know what to do with '{args.opts[0]}'.")
    if getattr(args, "name", None):  # the data are the same with and without imbalance
        args.name = dataset_name(args.name).removeprefix(PREFIX)
    return {
        "list": _list,
        "status": _status,
        "download": download,
        "verify": _verify,
        "describe": _describe,
    }[args.action](args)


def _list(args: argparse.Namespace) -> int:
    rows = [
        [e.name, e.title, e.size, e.licence, "download" if e.automatic else "by hand"]
        for e in CATALOGUE.values()
    ]
    print(tabulate(rows, headers=["name", "dataset", "size", "licence note", "how"]))
    print("\nEmbedded* are drawn on first use; ImageFolder and List read your own data.")
    return 0


def _status(args: argparse.Namespace) -> int:
    root = Path(args.root).expanduser()
    if args.name:
        return _tree(entry_named(args.name), root)
    rows = []
    for entry in CATALOGUE.values():
        gone = len(missing(entry, root))
        state = "complete" if not gone else f"{len(entry.expects) - gone} of {len(entry.expects)}"
        rows.append([entry.name, "absent" if gone == len(entry.expects) else state])
    print(f"DATASET.ROOT {root.absolute()}")
    print(tabulate(rows, headers=["name", "state"]))
    return 0


def _tree(entry: Entry, root: Path) -> int:
    gone = set(missing(entry, root))
    print(f"{entry.name} under {root.absolute()}")
    for path in entry.expects:
        print(f"  {'MISSING' if path in gone else 'ok':<8} {path}")
    if gone:
        print(f"`npt data download {entry.name} --root '{root}'`{manual_text(entry, root)}")
    return 1 if gone else 0


def _verify(args: argparse.Namespace) -> int:
    facts, problems = check(args.name, args.root, args.opts, not args.fast)
    return report(args.name, facts, problems, args.all)


def _describe(args: argparse.Namespace) -> int:
    data = reader(args.name)(data_cfg(args.name, args.root, args.opts))
    print(describe(data))
    print(f"val {len(data.val or [])} images, test {len(data.test)} images")
    for name in data.classnames[:3]:
        print(f"prompt: {template_for(args.name).format(name.replace('_', ' '))}")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    return exit_code(lambda: run(parse_with_overrides(parser(), argv)))
