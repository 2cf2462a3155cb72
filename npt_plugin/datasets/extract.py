"""Unpacking archives: nothing leaves the target folder, nothing is left half-done."""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO

from npt_plugin.errors import UserError
from npt_plugin.system.files import write_text


def extract(
    archive: Path,
    into: Path,
    work: Path,
    strip: str = "",
    inner: str = "",
    only: Sequence[str] = (),
    moving: Path | None = None,
) -> None:
    """Unpack a zip or tar archive into a folder, merging with what is there.

    Everything is unpacked into ``work`` first; only a whole archive is moved to its place.

    Args:
        archive: The file.
        into: Target folder, made if need be.
        work: Scratch folder on the same disk; emptied before and removed after.
        strip: Leading folder inside the archive to leave out (what lies elsewhere is skipped).
        inner: Member that is itself an archive and takes the place of this one.
        only: Members, and folders of members, that are wanted; none: all.
        moving: File that is there while content is moved to its place, and stays there if that is
            cut off.

    Raises:
        UserError: A member that would leave the folder (absolute, ``..``, links outside), a broken
            or foreign file, a full disk.
    """
    shutil.rmtree(work, ignore_errors=True)
    try:
        _unpack(archive, work / "out", only)
        source = work / "out"
        if inner:
            if not (source / inner).is_file():
                raise UserError(f"'{archive.name}' does not contain '{inner}' as expected.")
            _unpack(source / inner, work / "inner")
            source = work / "inner"
        source = source / strip if strip else source
        if not source.is_dir():
            raise UserError(f"'{archive.name}' does not contain the folder '{strip}' as expected.")
        if moving is not None:
            write_text(moving, f"{archive.name}\n")
        merge(source, into)
        if moving is not None:
            moving.unlink()
    except OSError as error:
        raise UserError(
            f"'{archive}' could not be unpacked into '{into}' ({error.strerror or error})."
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def check_member(name: str, archive: str) -> str:
    """Check that an archive member would be written inside the target folder; return its name.

    Raises:
        UserError: Absolute path, drive letter, or ``..``.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or (path.parts and ":" in path.parts[0]):
        raise UserError(
            f"'{archive}' contains '{name}', which would be written outside the target folder; "
            "nothing was unpacked, and the archive should not be trusted."
        )
    return str(path)


def _unpack(archive: Path, folder: Path, only: Sequence[str] = ()) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        if zipfile.is_zipfile(archive):
            members = _zip_members(archive, only)
        elif tarfile.is_tarfile(archive):
            members = _tar_members(archive)
        else:
            raise UserError(
                f"'{archive}' is neither a zip nor a tar archive (a web page saved by mistake?); "
                "delete it and download again."
            )
        for name, stream in members:
            if only and not _below(name, only):
                if stream is not None:
                    stream.close()
                continue
            target = folder / name
            if stream is None:
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with stream, open(target, "wb") as file:
                shutil.copyfileobj(stream, file, 1 << 20)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
        raise UserError(
            f"'{archive}' is broken ({error}); delete it and download again."
        ) from error


def _below(name: str, places: Sequence[str]) -> bool:
    return any(name == place or name.startswith(f"{place}/") for place in places)


def _zip_members(archive: Path, only: Sequence[str]) -> Iterator[tuple[str, IO[bytes] | None]]:
    with zipfile.ZipFile(archive) as file:
        infos = file.infolist()
        for info in infos:  # all names first: they are cheap to know
            name = check_member(info.filename, archive.name)
            wanted = not only or _below(name, only)
            if wanted and stat.S_ISLNK(info.external_attr >> 16):  # else a file that holds a path
                raise UserError(
                    f"'{archive.name}' contains the link '{info.filename}', which no zip archive "
                    "of images needs; nothing was unpacked."
                )
        for info in infos:
            name = check_member(info.filename, archive.name)
            yield name, None if info.is_dir() else file.open(info)


def _tar_members(archive: Path) -> Iterator[tuple[str, IO[bytes] | None]]:
    with tarfile.open(archive) as file:
        for member in file:
            name = check_member(member.name, archive.name)
            if member.issym() or member.islnk():
                _check_link(member, archive.name)
                stream = file.extractfile(member)  # a copy of what it points to, not a link
                if stream is not None:
                    yield name, stream
            elif member.isdir():
                yield name, None
            elif member.isfile():
                yield name, file.extractfile(member)
            else:  # devices, pipes
                raise UserError(
                    f"'{archive.name}' contains '{name}', which is neither a file nor a folder; "
                    "the archive should not be trusted."
                )


def _check_link(member: tarfile.TarInfo, archive: str) -> None:
    base = PurePosixPath(member.name).parent if member.issym() else PurePosixPath()
    target = os.path.normpath(str(base / member.linkname))
    if target.startswith("..") or os.path.isabs(member.linkname):
        raise UserError(
            f"'{archive}' contains the link '{member.name}' to '{member.linkname}' outside the "
            "target folder; nothing was unpacked, and the archive should not be trusted."
        )


def merge(source: Path, target: Path) -> None:
    """Move the content of ``source`` into ``target``; files of the same name are replaced."""
    target.mkdir(parents=True, exist_ok=True)
    for entry in sorted(source.iterdir()):
        place = target / entry.name
        if entry.is_dir() and place.is_dir():
            merge(entry, place)
        else:
            os.replace(entry, place)
