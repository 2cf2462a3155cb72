"""Fetching datasets: resumable, checked, and with the manual way out when a link fails."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from pathlib import Path

from npt_plugin.datasets.catalogue import Entry, Part
from npt_plugin.datasets.extract import extract
from npt_plugin.datasets.split import read_json
from npt_plugin.errors import UserError
from npt_plugin.system.files import write_text
from npt_plugin.system.progress import progress

CHUNK = 1 << 20
TIMEOUT = 60  # seconds without a byte
DOWNLOADS = ".downloads"  # under DATASET.ROOT


def download_dataset(entry: Entry, root: Path, keep: bool = False) -> list[str]:
    """Fetch and unpack all parts that need no person; finished parts are not fetched again.

    Args:
        entry: Dataset.
        root: ``DATASET.ROOT``.
        keep: Keep archives after unpacking.

    Returns:
        Paths under ``root`` that are still missing afterwards.

    Raises:
        UserError: A link that fails, a wrong checksum, an unsafe archive; with the manual steps.
    """
    for part in entry.parts:
        try:
            fetch_part(part, root, root / DOWNLOADS / entry.name, keep)
        except UserError as error:
            raise UserError(f"{error}{manual_text(entry, root)}") from error
    return missing(entry, root)


def missing(entry: Entry, root: Path) -> list[str]:
    """Expected paths under ``root`` that do not exist."""
    return [path for path in entry.expects if not (root / path).exists()]


def manual_text(entry: Entry, root: Path) -> str:
    """The steps for a person, as the end of a message; empty if there are none."""
    if not entry.manual:
        return ""
    steps = "; ".join(f"({i}) {step}" for i, step in enumerate(entry.manual, 1))
    return f" By hand, with ROOT = '{root}': {steps}."


def fetch_part(part: Part, root: Path, folder: Path, keep: bool = False) -> None:
    """Fetch one file, and unpack it if it is an archive.

    Args:
        part: What to fetch.
        root: ``DATASET.ROOT``.
        folder: Where archives and half files are kept meanwhile.
        keep: Keep the archive after unpacking.
    """
    if part.into is None:
        target = root / part.file
        if not _whole(target, part.md5):
            fetch_file(part, target)
        return
    archive, done = folder / part.file, folder / f"{part.file}.done"
    if done.exists():
        return
    if not _whole(archive, part.md5):
        fetch_file(part, archive)
    work = folder / f"{part.file}.unpacking"
    extract(archive, root / part.into, work, part.strip, part.inner)
    write_text(done, "unpacked\n")
    if not keep:
        archive.unlink()


def _whole(path: Path, md5: str) -> bool:
    """Whether a file is there and, if its checksum is known, right."""
    return path.is_file() and (not md5 or md5_of(path) == md5)


def md5_of(path: Path) -> str:
    """MD5 of a file: not for safety against malice, only because publishers give no other."""
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def fetch_file(part: Part, target: Path) -> None:
    """Download to ``target``, which appears only when it is complete and its checksum is right.

    Args:
        part: Link or Google Drive id, checksum.
        target: Final place; ``<target>.part`` holds what there is so far and is continued.

    Raises:
        UserError: The link fails, the checksum differs, or JSON is not JSON.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".part")
    try:
        if part.gdrive:
            _from_drive(part.gdrive, partial)
        else:
            _from_url(part.url, partial)
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        reason = getattr(error, "reason", None) or error
        raise UserError(
            f"'{target.name}' could not be fetched from {part.url} ({reason}); what arrived is "
            "kept, run the command again to continue."
        ) from error
    if part.md5 and md5_of(partial) != part.md5:
        partial.unlink()
        raise UserError(
            f"'{target.name}' arrived with another checksum than {part.md5}; it was deleted, run "
            "the command again."
        )
    if target.suffix == ".json":
        try:
            read_json(partial)
        except UserError as error:
            partial.unlink()
            raise UserError(
                f"'{target.name}' is not the expected file (the server sent something else, e.g. "
                "a quota page); run the command again later."
            ) from error
    partial.replace(target)


def _from_drive(file_id: str, partial: Path) -> None:
    import gdown  # only here: most machines that train never download

    try:
        if gdown.download(id=file_id, output=str(partial), resume=True) is None:
            raise UserError("no file")
    except Exception as error:  # gdown raises its own kinds, and others across versions
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(
            f"Google Drive file {file_id} ('{partial.stem}') could not be fetched ({reason}); try "
            f"again later, or open https://drive.google.com/uc?id={file_id} in a browser and save "
            f"it as '{partial.with_suffix('')}'."
        ) from error


def _from_url(url: str, partial: Path) -> None:
    have = partial.stat().st_size if partial.exists() else 0
    headers = {"User-Agent": "npt_plugin", **({"Range": f"bytes={have}-"} if have else {})}
    try:
        response = urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=TIMEOUT
        )
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # nothing left to send: it is all here
            return
        raise
    with response:
        resumed = response.status == 206
        have = have if resumed else 0
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else None
        bar = progress(total=total, initial=have, unit="B", unit_scale=True, desc=partial.stem)
        with bar, open(partial, "ab" if resumed else "wb") as file:
            while chunk := response.read(CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
    if total is not None and partial.stat().st_size < total:
        raise OSError("the connection ended early")
