"""List, check, download, verify and describe datasets."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tabulate import tabulate

from npt_plugin.cli.help_format import WithDefaults
from npt_plugin.cli.overrides import describe_overrides, parse_with_overrides
from npt_plugin.config import extend_cfg
from npt_plugin.datasets.catalogue import CATALOGUE, Entry
from npt_plugin.datasets.class_counts import describe
from npt_plugin.datasets.download import download_dataset, manual_text, missing
from npt_plugin.datasets.names import PREFIX, dataset_name, reader
from npt_plugin.datasets.prompt_templates import template_for
from npt_plugin.datasets.verify import load_source, verify
from npt_plugin.engine.framework import get_cfg_default
from npt_plugin.errors import UserError
from npt_plugin.runs.settings import merge_options
from npt_plugin.system.exit_codes import exit_code

ACTIONS = {
    "list": "show all datasets: size, licence note, how they are got",
    "status": "show what is there, against what is expected",
    "download": "fetch and unpack a dataset; continues what was cut off",
    "verify": "read the split, find missing and broken images; exit code 1 if there are any",
    "describe": "show the class histogram of what a run would train on",
}
TAKES_OVERRIDES = ("verify", "describe")


def parser() -> argparse.ArgumentParser:
    """The sub-commands of ``npt data``."""
    p = argparse.ArgumentParser(
        prog="npt data",
        description=__doc__,
        epilog="Examples: npt data status --root DATA; npt data verify OxfordPets --root DATA",
        formatter_class=WithDefaults,
    )
    actions = p.add_subparsers(dest="action", required=True, metavar="ACTION")
    parts = {
        name: actions.add_parser(name, help=about, description=about, formatter_class=WithDefaults)
        for name, about in ACTIONS.items()
    }
    parts["status"].add_argument("name", nargs="?", help="one dataset; none: all of them")
    for name in ("download", "verify", "describe"):
        parts[name].add_argument("name", help="dataset, in any spelling")
    for name in ("status", "download", "verify", "describe"):
        root = os.environ.get("DATA", "data")
        parts[name].add_argument("--root", default=root, help="DATASET.ROOT; $DATA where it is set")
    keep, fast, every = "keep archives after unpacking", "do not decode", "list every case"
    parts["download"].add_argument("--keep", action="store_true", help=keep)
    parts["verify"].add_argument("--fast", action="store_true", help=f"{fast} the images")
    parts["verify"].add_argument("--all", action="store_true", help=f"{every} of every problem")
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
        "download": _download,
        "verify": _verify,
        "describe": _describe,
    }[args.action](args)


def _entry(name: str) -> Entry:
    if name not in CATALOGUE:
        raise UserError(
            f"There is nothing to download for '{name}': Embedded* are drawn on first use, "
            "ImageFolder and List read your own data."
        )
    return CATALOGUE[name]


def _list(args: argparse.Namespace) -> int:
    rows = [
        [e.name, e.title, e.size, e.licence, "download" if _automatic(e) else "by hand"]
        for e in CATALOGUE.values()
    ]
    print(tabulate(rows, headers=["name", "dataset", "size", "licence note", "how"]))
    print("\nEmbedded* are drawn on first use; ImageFolder and List read your own data.")
    return 0


def _automatic(entry: Entry) -> bool:
    return any(part.into is not None for part in entry.parts)


def _status(args: argparse.Namespace) -> int:
    root = Path(args.root).expanduser()
    if args.name:
        return _tree(_entry(args.name), root)
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


def _download(args: argparse.Namespace) -> int:
    entry, root = _entry(args.name), Path(args.root).expanduser()
    try:
        gone = download_dataset(entry, root, args.keep)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("stopped; run the same command to continue") from None
    if gone:
        raise UserError(
            f"{entry.name}: still missing: {', '.join(gone)}.{manual_text(entry, root)}"
        )
    print(f"{entry.name} is complete under {root.absolute()}")
    return 0


def _config(args: argparse.Namespace) -> Any:
    cfg = extend_cfg(get_cfg_default())
    cfg.DATASET.NAME, cfg.DATASET.ROOT, cfg.SEED = args.name, args.root, 1
    merge_options(cfg, args.opts)
    cfg.freeze()
    return cfg


def _verify(args: argparse.Namespace) -> int:
    facts, problems = verify(load_source(reader(args.name), _config(args)), not args.fast)
    print(args.name)
    shown = {"shown": sys.maxsize} if args.all else {}
    for line in (*facts, *(line for problem in problems for line in problem.lines(**shown))):
        print(f"  {line}")
    number = sum(problem.number for problem in problems)
    print(f"  {number:,} problem(s)" if problems else "  no problem found")
    return 1 if problems else 0


def _describe(args: argparse.Namespace) -> int:
    data = reader(args.name)(_config(args))
    print(describe(data))
    print(f"val {len(data.val or [])} images, test {len(data.test)} images")
    for name in data.classnames[:3]:
        print(f"prompt: {template_for(args.name).format(name.replace('_', ' '))}")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    return exit_code(lambda: run(parse_with_overrides(parser(), argv)))
