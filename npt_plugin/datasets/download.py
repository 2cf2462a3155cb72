"""Getting one dataset: each file from the best place that has it, whole, checked, in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from npt_plugin.datasets.archives import SOURCES, Bundle, Entry, Mirror, Part
from npt_plugin.datasets.bundle import unpack_bundle
from npt_plugin.datasets.fetch import fetch
from npt_plugin.datasets.given import given_bundle, given_part
from npt_plugin.datasets.placing import Getting, is_cut_off, place, scratch
from npt_plugin.errors import UserError


def get_dataset(entry: Entry, how: Getting) -> list[str]:
    """Get all of a dataset that needs no person; what is there already is not got again.

    Args:
        entry: The dataset.
        how: Where to, and where from.

    Returns:
        Paths under the root that are still missing afterwards.

    Raises:
        UserError: No place had it, a given archive is not the right one, an unsafe archive; with
            what each place said and the manual steps.
    """
    _take_what_is_given(entry, how)
    said: list[str] = []
    for source in SOURCES:
        for attempt in _attempts(entry, source, how):
            try:
                attempt()
            except UserError as error:
                said.append(f"{source}: {error}")
                how.transfer.say(f"{entry.name}: {said[-1]}")
    gone = missing(entry, how.root)
    if said and (gone or lacking_parts(entry, how.root)):
        raise UserError(
            f"{entry.name}: {'; '.join(said)}. What arrived is kept: run the command again to "
            f"continue.{manual_text(entry, how.root)}"
        )
    return gone


def missing(entry: Entry, root: Path) -> list[str]:
    """Expected paths under ``root`` that do not exist."""
    return [path for path in entry.expects if not (root / path).exists()]


def lacking_parts(entry: Entry, root: Path) -> list[Part]:
    """Parts whose content is not there, or was being moved there when something cut it off."""
    return [
        part
        for part in entry.parts
        if is_cut_off(entry, part.file, root)
        or not all((root / path).exists() for path in part.gives)
    ]


def bundle_wanted(entry: Entry, root: Path) -> list[str]:
    """What of a dataset would be taken from its bundle."""
    if entry.bundle is None:
        return []
    if is_cut_off(entry, entry.bundle.mirror.file, root):
        return list(entry.expects)
    lacking = {path for part in lacking_parts(entry, root) for path in part.gives}
    return [path for path in entry.expects if path in lacking or not (root / path).exists()]


def manual_text(entry: Entry, root: Path) -> str:
    """The steps for a person, as the end of a message; empty if there are none."""
    if not entry.manual:
        return ""
    steps = "; ".join(f"({i}) {step}" for i, step in enumerate(entry.manual, 1))
    return f" By hand, with ROOT = '{root}': {steps}."


def _take_what_is_given(entry: Entry, how: Getting) -> None:
    if how.given is None:
        return
    for part in lacking_parts(entry, how.root):
        found = given_part(entry, part, how.given)
        if found:
            path, mirror = found
            how.transfer.say(f"{entry.name}: {path}")
            place(entry, part, mirror, path, how)
    wanted = bundle_wanted(entry, how.root)
    archive = given_bundle(entry, how.given) if wanted else None
    if archive is not None:
        how.transfer.say(f"{entry.name}: {archive}")
        unpack_bundle(archive, entry, wanted, how.root, scratch(entry, how.root))


def _attempts(entry: Entry, source: str, how: Getting) -> Iterator[Callable[[], None]]:
    """What one kind of place can be asked for: the bundle first, for it holds the small files."""
    if entry.bundle and source == entry.bundle.mirror.source and _worth_a_bundle(entry, how.root):
        yield partial(_download_bundle, entry, entry.bundle, how)
    for part in lacking_parts(entry, how.root):
        for mirror in part.mirrors:
            if mirror.source == source and part in lacking_parts(entry, how.root):
                yield partial(_download_part, entry, part, mirror, how)


def _download_part(entry: Entry, part: Part, mirror: Mirror, how: Getting) -> None:
    number = part.mirrors.index(mirror)
    suffix = ".part" if number == 0 else f".{number}.part"
    half = scratch(entry, how.root) / f"{Path(part.file).name}{suffix}"
    _fetch(entry, part.file, mirror, half, how)
    place(entry, part, mirror, half, how)


def _fetch(entry: Entry, file: str, mirror: Mirror, half: Path, how: Getting) -> None:
    how.transfer.say(f"{entry.name}: {file} from {mirror.source}")
    try:
        fetch(mirror, half, how.transfer)
    except UserError as error:
        raise UserError(f"'{file}' could not be had ({error})") from error


def _worth_a_bundle(entry: Entry, root: Path) -> bool:
    """Whether more than a small file is wanted: those are not worth a whole archive."""
    small = {part.file for part in entry.parts if part.into is None}
    return bool(set(bundle_wanted(entry, root)) - small)


def _download_bundle(entry: Entry, bundle: Bundle, how: Getting) -> None:
    folder, file = scratch(entry, how.root), bundle.mirror.file
    half = folder / f"bundle-{file}.part"
    _fetch(entry, file, bundle.mirror, half, how)
    unpack_bundle(half, entry, bundle_wanted(entry, how.root), how.root, folder)
    if how.keep:
        half.replace(folder / file)
    else:
        half.unlink()
