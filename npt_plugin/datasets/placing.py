"""Bringing a file that is whole and right to its place under DATASET.ROOT."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from npt_plugin.datasets.archives import Entry, Mirror, Part
from npt_plugin.datasets.extract import extract
from npt_plugin.datasets.transfer import Transfer

DOWNLOADS = ".downloads"
"""Folder under DATASET.ROOT for archives, half files, and content that is being unpacked."""


@dataclass(frozen=True)
class Getting:
    """How datasets are got.

    Args:
        root: ``DATASET.ROOT``.
        given: Folder with archives that are there already; they are read, never changed.
        keep: Keep downloaded archives after unpacking.
        transfer: Counts bytes, and tells to stop.
    """

    root: Path
    given: Path | None = None
    keep: bool = False
    transfer: Transfer = field(default_factory=Transfer)


def scratch(entry: Entry, root: Path) -> Path:
    """Folder for what of a dataset is on its way."""
    return root / DOWNLOADS / entry.name


def moving_mark(folder: Path, file: str) -> Path:
    """A file that is there while the content of an archive is moved to its place."""
    return folder / f"{Path(file).name}.moving"


def is_cut_off(entry: Entry, file: str, root: Path) -> bool:
    """Whether something ended while the content of an archive was moved to its place."""
    return moving_mark(scratch(entry, root), file).exists()


def place(entry: Entry, part: Part, mirror: Mirror, file: Path, how: Getting) -> None:
    """Unpack or move the file of a part; one that was given stays as it is.

    Args:
        entry: The dataset.
        part: Says where the content belongs.
        mirror: Says how the archive is made.
        file: Given, or lying in the scratch folder.
        how: Root, and whether archives are kept.

    Raises:
        UserError: A broken or unsafe archive, a full disk.
    """
    folder = scratch(entry, how.root)
    ours = file.parent == folder
    if part.into is None:
        target = how.root / part.file
        target.parent.mkdir(parents=True, exist_ok=True)
        (file if ours else _copy(file, folder)).replace(target)
        return
    how.transfer.say(f"{entry.name}: unpacking {file.name.removesuffix('.part')}")
    extract(
        file,
        how.root / part.into,
        folder / f"{part.file}.unpacking",
        mirror.strip,
        mirror.inner,
        moving=moving_mark(folder, part.file),
    )
    if ours and how.keep:
        file.replace(folder / mirror.file)
    elif ours:
        file.unlink()


def _copy(file: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(file, folder / f"{file.name}.part"))
