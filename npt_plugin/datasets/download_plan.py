"""What a download would do: files, places, sizes, and whether the disk has room for it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from npt_plugin.datasets.archives import SOURCES, Entry, Mirror
from npt_plugin.datasets.download import bundle_wanted, lacking_parts
from npt_plugin.datasets.given import given_bundle, given_part
from npt_plugin.datasets.placing import scratch
from npt_plugin.datasets.words import MB, size_in_words
from npt_plugin.errors import UserError


@dataclass(frozen=True)
class PlannedFile:
    """One file that a dataset still needs.

    Args:
        dataset: Registry name.
        file: What is fetched, or the given file.
        mb: Rough size in megabytes; 0 for small files.
        fetched: Whether it comes over the network.
        places: Kinds of places that have it, in the order in which they are tried.
        checked_by: What tells a good copy from a bad one at the first of them.
        unpacked: Whether it is an archive.
    """

    dataset: str
    file: str
    mb: float
    fetched: bool
    places: tuple[str, ...]
    checked_by: str
    unpacked: bool


def plan(entry: Entry, root: Path, given: Path | None = None) -> list[PlannedFile]:
    """Files that a dataset still needs, if the first place of each has it.

    Args:
        entry: The dataset.
        root: ``DATASET.ROOT``.
        given: Folder with archives that are there already.

    Raises:
        UserError: A given file is not the published one.
    """
    files = []
    for part in lacking_parts(entry, root):
        found = given_part(entry, part, given) if given else None
        mirrors = [found[1]] if found else list(part.mirrors)
        if not found and part.into is not None and entry.bundle:
            mirrors.append(entry.bundle.mirror)
        name = str(found[0]) if found else part.file
        files.append(_planned(entry, name, part.mb, not found, mirrors, part.into is not None))
    wanted = bundle_wanted(entry, root)
    archive = given_bundle(entry, given) if given and wanted else None
    if entry.bundle and archive:
        mirrors = [entry.bundle.mirror]
        return [_planned(entry, str(archive), entry.bundle.mb, False, mirrors, True)]
    if entry.bundle and set(wanted) - {path for part in entry.parts for path in part.gives}:
        mirrors = [entry.bundle.mirror]
        files.append(_planned(entry, mirrors[0].file, entry.bundle.mb, True, mirrors, True))
    return files


def _planned(
    entry: Entry, file: str, mb: float, fetched: bool, mirrors: Sequence[Mirror], unpacked: bool
) -> PlannedFile:
    mirrors = sorted(mirrors, key=lambda mirror: SOURCES.index(mirror.source))
    places = tuple(dict.fromkeys(mirror.source for mirror in mirrors))
    return PlannedFile(entry.name, file, mb, fetched, places, mirrors[0].checked_by, unpacked)


def disk_need(files: Sequence[PlannedFile], keep: bool, jobs: int) -> int:
    """Bytes that a plan takes on the disk at its fullest, roughly.

    Images do not shrink in archives, so content takes as much room as its archive. Archives stand
    beside their content until they are unpacked: all of them if they are kept, else as many as are
    worked on at a time.

    Args:
        files: The plan.
        keep: Whether archives are kept.
        jobs: Datasets at a time.
    """
    content = sum(file.mb for file in files)
    archives = sorted((file.mb for file in files if file.fetched and file.unpacked), reverse=True)
    return int((content + sum(archives if keep else archives[:jobs])) * MB)


def half_there(entries: Sequence[Entry], root: Path) -> int:
    """Bytes of half files that a download would continue."""
    halves = (half for entry in entries for half in scratch(entry, root).glob("*.part"))
    return sum(half.stat().st_size for half in halves)


def free_bytes(root: Path) -> int:
    """Room where a folder is or will be."""
    there = next(path for path in (root, *root.absolute().parents) if path.exists())
    return shutil.disk_usage(there).free


def check_disk(need: int, root: Path) -> None:
    """Refuse a download that the disk has no room for.

    Args:
        need: Bytes.
        root: Where they come to lie.

    Raises:
        UserError: Fewer are free.
    """
    free = free_bytes(root)
    if free < need:
        raise UserError(
            f"This takes about {size_in_words(need / MB)} under '{root}', but "
            f"{size_in_words(free / MB)} are free: name fewer datasets, or another --root."
        )
