"""Archives that are there already: found by name, taken where they are the published ones."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from npt_plugin.datasets.archives import Entry, Mirror, Part
from npt_plugin.datasets.fetch import what_is_wrong
from npt_plugin.errors import UserError


def given_part(entry: Entry, part: Part, folder: Path) -> tuple[Path, Mirror] | None:
    """The file of a part, under any name that a mirror has for it.

    Args:
        entry: The dataset.
        part: What is looked for.
        folder: Where; also one folder deeper.

    Returns:
        The file and the mirror it could have come from; None if there is none.

    Raises:
        UserError: A file of that name is not what the mirrors have under it.
    """
    mirrors = [mirror for mirror in part.mirrors if not mirror.member]
    path = _find((mirror.file for mirror in mirrors), folder)
    if path is None:
        return None
    wrong = []
    for mirror in mirrors:
        if mirror.file == path.name:
            wrong.append(what_is_wrong(path, mirror))
            if not wrong[-1]:
                return path, mirror
    if entry.bundle and entry.bundle.mirror.file == path.name:
        return None  # two archives of one name: it is looked at as the other one next
    raise UserError(_sentence(entry, path, wrong[0]))


def given_bundle(entry: Entry, folder: Path) -> Path | None:
    """The archive that holds a whole dataset, if it is there.

    Args:
        entry: The dataset.
        folder: Where; also one folder deeper.

    Raises:
        UserError: A file of that name is not the published one.
    """
    if entry.bundle is None:
        return None
    path = _find([entry.bundle.mirror.file], folder)
    wrong = what_is_wrong(path, entry.bundle.mirror) if path else ""
    if wrong:
        raise UserError(_sentence(entry, path, wrong))
    return path


def _sentence(entry: Entry, path: Path | None, wrong: str) -> str:
    return (
        f"{entry.name}: '{path}' is not the published file: {wrong}; take it out of the folder to "
        "download instead."
    )


def _find(names: Iterable[str], folder: Path) -> Path | None:
    wanted = set(names)
    for pattern in ("*", "*/*"):
        for path in sorted(folder.glob(pattern)):
            if path.name in wanted and path.is_file():
                return path
    return None
