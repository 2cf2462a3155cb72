"""A zip archive that holds a whole dataset: where in it the dataset lies, and unpacking that.

Who packs a folder decides how many folders stand around it, so the place is looked for.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from npt_plugin.datasets.archives import Entry
from npt_plugin.datasets.extract import extract
from npt_plugin.datasets.placing import moving_mark
from npt_plugin.errors import UserError


def unpack_bundle(
    archive: Path, entry: Entry, wanted: Sequence[str], root: Path, folder: Path
) -> None:
    """Unpack what is wanted of a dataset; whatever else is in the archive stays in it.

    Args:
        archive: The zip archive.
        entry: The dataset.
        wanted: Some of ``entry.expects``.
        root: ``DATASET.ROOT``.
        folder: Scratch folder on the same disk.

    Raises:
        UserError: Something wanted is not in the archive, or the archive is broken or unsafe.
    """
    inside = [path.removeprefix(f"{entry.folder}/") for path in wanted]
    try:
        with zipfile.ZipFile(archive) as file:
            base = base_of(file.namelist(), inside)
    except zipfile.BadZipFile as error:
        raise UserError(
            f"'{archive}' is broken ({error}); delete it and download again."
        ) from error
    if base is None:
        raise UserError(f"'{archive}' does not hold {' and '.join(inside)} in one folder.")
    extract(
        archive,
        root / entry.folder,
        folder / f"{archive.name}.unpacking",
        strip=base,
        only=[f"{base}/{path}" if base else path for path in inside],
        moving=moving_mark(folder, entry.bundle.mirror.file if entry.bundle else archive.name),
    )
    for part in entry.parts:
        if set(part.gives) <= set(wanted):
            moving_mark(folder, part.file).unlink(missing_ok=True)


def base_of(names: Iterable[str], inside: Sequence[str]) -> str | None:
    """The folder of an archive that has all of some paths directly in it.

    Args:
        names: Of all members, folders or not.
        inside: Paths of files or folders, such as ``images``.

    Returns:
        The shortest such folder without a slash at its end, ``""`` for the top; None if there is
        none.

    Example:
        >>> base_of(["x/food/images/a/1.jpg", "x/food/split.json"], ["images", "split.json"])
        'x/food'
    """
    bases: list[set[str]] = [set() for _ in inside]
    for name in names:
        padded = f"/{name.rstrip('/')}/"
        for place, path in zip(bases, inside, strict=True):
            at = padded.find(f"/{path}/")
            if at >= 0:
                place.add(padded[1:at])
    common = set.intersection(*bases)
    return min(common, key=lambda base: (len(base), base)) if common else None
