"""``npt data download``: what is needed, from the places that have it, then looked at."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from tabulate import tabulate

from npt_plugin.cli.data_verify import check, report
from npt_plugin.datasets.archives import Entry
from npt_plugin.datasets.catalogue import CATALOGUE
from npt_plugin.datasets.download_many import get_datasets
from npt_plugin.datasets.download_plan import (
    PlannedFile,
    check_disk,
    disk_need,
    free_bytes,
    half_there,
    plan,
)
from npt_plugin.datasets.names import PREFIX, dataset_name
from npt_plugin.datasets.placing import Getting
from npt_plugin.datasets.words import MB, size_in_words
from npt_plugin.errors import UserError
from npt_plugin.sweep.dataset_groups import GROUPS, with_groups


def add_download_flags(p: argparse.ArgumentParser) -> None:
    """Names and flags of the command."""
    groups = ", ".join(name for name in GROUPS if name != "embedded")
    p.add_argument("datasets", nargs="+", metavar="NAME", help=f"datasets, or groups: {groups}")
    p.add_argument(
        "--from",
        dest="given",
        metavar="FOLDER",
        help="folder with archives that are there already: read from it, fetch only the others",
    )
    p.add_argument("--jobs", type=int, default=4, help="datasets at a time")
    p.add_argument("--dry-run", action="store_true", help="only say what would be fetched")
    p.add_argument("--keep", action="store_true", help="keep archives after unpacking")


def entry_named(word: str) -> Entry:
    """The catalogue's entry for a name in any spelling; imbalance does not change the data.

    Raises:
        UserError: No such dataset, or one that is not downloaded.
    """
    name = dataset_name(word).removeprefix(PREFIX)
    if name not in CATALOGUE:
        raise UserError(
            f"There is nothing to download for '{name}': Embedded* are drawn on first use, "
            "ImageFolder and List read your own data."
        )
    return CATALOGUE[name]


def download(args: argparse.Namespace) -> int:
    """Get datasets and check the size of their splits.

    Returns:
        Exit code: 0, or 1 if what was got has problems.

    Raises:
        UserError: Unknown names, no room, nothing that has a file; what is complete stays.
    """
    root = Path(args.root).expanduser()
    given = Path(args.given).expanduser() if args.given else None
    if given is not None and not given.is_dir():
        raise UserError(f"--from '{given}' is no folder.")
    if args.jobs < 1:
        raise UserError(f"--jobs {args.jobs}: give 1 or more.")
    entries = _entries(args.datasets)
    files = [file for entry in entries for file in plan(entry, root, given)]
    need = max(0, disk_need(files, args.keep, args.jobs) - half_there(entries, root))
    if args.dry_run:
        _print_plan(files, need, root)
        return 0
    check_disk(need, root)
    how = Getting(root, given, args.keep)
    try:
        ends = get_datasets(entries, files, how, args.jobs)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("stopped; run the same command to continue") from None
    failed = {name: wrong for name, wrong in ends.items() if wrong}
    looked = [_look(name, args.root) for name in ends if name not in failed]
    if len(failed) == len(ends) == 1:
        raise UserError(*failed.values())
    if failed:
        raise UserError(
            f"{len(failed)} of {len(ends)} datasets are not complete ({', '.join(failed)}): the "
            "reasons stand above; the same command continues, `npt data status NAME` says what "
            "can be done by hand."
        )
    print(f"{', '.join(ends)}: complete under {root.absolute()}")
    return max(looked)


def _look(name: str, root: str) -> int:
    """Compare the split that arrived with the published one, without decoding images."""
    if CATALOGUE[name].counts is None:
        return 0
    return report(name, *check(name, root, decode=False))


def _entries(words: Sequence[str]) -> list[Entry]:
    """What is meant; of groups only what needs no person, and what is left out is said."""
    asked = {entry_named(word).name for word in words if word not in GROUPS}
    entries = {entry.name: entry for entry in map(entry_named, with_groups(words))}
    by_hand = [n for n, entry in entries.items() if not (entry.automatic or n in asked)]
    for name in by_hand:
        print(f"{name} has to be got by hand: `npt data status {name}` says how.")
    return [entry for name, entry in entries.items() if name not in by_hand]


def _print_plan(files: Sequence[PlannedFile], need: int, root: Path) -> None:
    if not files:
        print("Nothing is missing.")
        return
    rows = [
        [
            file.dataset,
            file.file,
            size_in_words(file.mb) if file.unpacked else "",
            ", ".join(file.places) if file.fetched else "given",
            file.checked_by,
        ]
        for file in files
    ]
    print(tabulate(rows, headers=["dataset", "file", "about", "from", "checked by"]))
    fetched = sum(file.mb for file in files if file.fetched)
    room, free = size_in_words(need / MB), size_in_words(free_bytes(root) / MB)
    print(f"\n{size_in_words(fetched)} to fetch; about {room} of disk at most, {free} are free.")
