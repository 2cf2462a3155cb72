"""``npt data list | status | download | verify | describe``: datasets from the command line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from npt_plugin.datasets.catalogue import CATALOGUE, Entry
from npt_plugin.datasets.download import download_dataset, manual_text, missing
from npt_plugin.errors import UserError, nearest_hint


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-commands of ``npt data`` to a parser."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="all datasets: size, licence note, how they are got")
    status = actions.add_parser("status", help="what is there, against what is expected")
    status.add_argument("name", nargs="?", help="one dataset; without it, all of them")
    download = actions.add_parser("download", help="fetch and unpack; continues what was cut off")
    download.add_argument("name")
    download.add_argument("--keep", action="store_true", help="keep archives after unpacking")
    verify = actions.add_parser("verify", help="read the split, find missing and broken images")
    verify.add_argument("name")
    verify.add_argument("--fast", action="store_true", help="do not decode the images")
    describe = actions.add_parser("describe", help="class histogram of what a run would train on")
    describe.add_argument("name")
    for action in (verify, describe):
        action.add_argument("opts", nargs="*", help="config pairs, e.g. DATASET.NUM_SHOTS 16")
    for action in (status, download, verify, describe):
        action.add_argument(
            "--root", default=os.environ.get("DATA", "data"), help="DATASET.ROOT (default: $DATA)"
        )


def add_data_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add ``data`` to an argparse sub-parser collection."""
    parser = subparsers.add_parser("data", help="list, check, download and verify datasets")
    add_data_arguments(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Do what the parsed arguments say.

    Returns:
        Exit code: 0, or 1 if something is missing or broken.

    Raises:
        UserError: unknown names, failed downloads, unreadable data.
    """
    return {
        "list": _list,
        "status": _status,
        "download": _download,
        "verify": _verify,
        "describe": _describe,
    }[args.action](args)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of ``npt data``; a user's mistake is one sentence and exit code 2."""
    parser = argparse.ArgumentParser(prog="npt data", description=__doc__)
    add_data_arguments(parser)
    try:
        return run(parser.parse_args(argv))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # piped into head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("stopped; run the same command to continue", file=sys.stderr)
        return 130


def _entry(name: str) -> Entry:
    if name not in CATALOGUE:
        raise UserError(
            f"There is no download for '{name}'{nearest_hint(name, CATALOGUE)}; `npt data list` "
            "shows all datasets."
        )
    return CATALOGUE[name]


def _list(args: argparse.Namespace) -> int:
    from tabulate import tabulate

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
    from tabulate import tabulate

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
    gone = download_dataset(entry, root, args.keep)
    if gone:
        raise UserError(
            f"{entry.name}: still missing: {', '.join(gone)}.{manual_text(entry, root)}"
        )
    print(f"{entry.name} is complete under {root.absolute()}")
    return 0


def _config(args: argparse.Namespace) -> Any:
    from npt_plugin.config import extend_cfg
    from npt_plugin.engine.framework import get_cfg_default

    cfg = extend_cfg(get_cfg_default())
    cfg.DATASET.NAME, cfg.DATASET.ROOT, cfg.SEED = args.name, args.root, 1
    try:
        cfg.merge_from_list(args.opts)
    except (AssertionError, KeyError, ValueError) as error:
        raise UserError(f"Config pairs {' '.join(args.opts)}: {error}") from error
    cfg.freeze()
    return cfg


def _reader(name: str) -> Any:
    from npt_plugin.datasets.names import READERS, reader

    plain = name.removeprefix("Imbalanced")
    if plain not in READERS:
        raise UserError(f"Unknown dataset '{name}'{nearest_hint(plain, READERS)}.")
    return reader(plain)


def _verify(args: argparse.Namespace) -> int:
    from npt_plugin.datasets.verify import load_source, verify

    facts, problems = verify(load_source(_reader(args.name), _config(args)), not args.fast)
    print(args.name)
    for line in (*facts, *problems):
        print(f"  {line}")
    print(f"  {len(problems)} problem(s)" if problems else "  no problem found")
    return 1 if problems else 0


def _describe(args: argparse.Namespace) -> int:
    from npt_plugin.datasets.counts import describe
    from npt_plugin.datasets.templates import template_for

    data = _reader(args.name)(_config(args))
    print(describe(data))
    print(f"val {len(data.val or [])} images, test {len(data.test)} images")
    for name in data.classnames[:3]:
        print(f"prompt: {template_for(args.name).format(name.replace('_', ' '))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
